/** A bot that is killed and started again under its own name keeps its new call. */

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { describeWith } from '../support/requirements.ts';
import { joinToken } from '../support/tokens.ts';

const waiting = { timeout: 90_000, interval: 50 };
const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** Stands before a server and notes which calls come through. */
async function noteCalls(server: LiveKitServer) {
  const calls: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming;
    const forward = request(`${server.httpUrl}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on('end', () => calls.push(url.split('/').pop() ?? ''));
    });
    incoming.pipe(forward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return { calls, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void proxy.close() };
}

describe('a bot that was killed', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer();
  });
  afterEach(killBots);
  afterAll(() => server.stop());

  it('and is started again under its own name is not put out by the guardian of the first', async () => {
    const roomName = `restarted-${process.pid}`;
    const options = { server, url: server.url, roomName, room: { owned: true } };
    using first = await noteCalls(server);
    const killed = await startBot({ ...options, apiUrl: first.url });
    killed.kill('SIGKILL');
    await vi.waitFor(() => expect(first.calls).toContain('DeleteRoom'), waiting);
    const again = await startBot(options);
    await using caller = spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'ada') });
    await caller.waitFor('joined', { timeoutMs: 90_000 });

    const looks = () => first.calls.filter((call) => call === 'ListParticipants').length;
    await vi.waitFor(() => expect(looks()).toBe(2), waiting);
    await caller.playTone(440, 1_000);
    expect(first.calls.filter((call) => call === 'DeleteRoom')).toHaveLength(1);
    expect(again.events.filter(({ event }) => event === 'outcome')).toEqual([]);
    expect(caller.events.filter(({ event }) => event === 'disconnected')).toEqual([]);
  });
});
