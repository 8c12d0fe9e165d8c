/** Webhooks of a real server that are lost, or that come while LiveKit leaves the sweeper waiting. */

import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { expect, it, vi } from 'vitest';
import { LiveKitRESTHelper } from '../../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../../src/rooms/room-name.ts';
import { webhookHandler } from '../../../src/sweeper/webhook/webhook-handler.ts';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../../support/caller.ts';
import { closedPort } from '../../support/closed-port.ts';
import { endedAfterEach } from '../../support/ended-after-each.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { roomService } from '../../support/room-service.ts';
import { now } from '../../support/talking-bot.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { joinToken } from '../../support/tokens.ts';
import { startLeasedBots } from '../leased-bots.ts';
import { boundMs, limits, measuringMs, startBystanders, startSweeper } from '../quick-sweeper.ts';

const apiKey = 'key';
const apiSecret = 'a-secret-of-at-least-32-characters';
const prefix = 'hooked-';
const keep = endedAfterEach();

async function startServer(receiverPort: number): Promise<LiveKitServer> {
  const webhook = { api_key: apiKey, urls: [`http://127.0.0.1:${receiverPort}/`] };
  return keep(await startLiveKitServer({ config: { keys: { [apiKey]: apiSecret }, webhook } }));
}

const describeWithBots = await describeWith('livekit-server', '@livekit/rtc-node');

describeWithBots('webhooks whose receiver is down', () => {
  it("row 69: are not missed: polling alone has a dead bot's room gone in time", async () => {
    const server = await startServer(await closedPort());
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    const bot = keep(await startLeasedBots(server, [roomName]));
    const human = keep(spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'human') }));
    await human.waitFor('joined', { timeoutMs: 90_000 });
    const { reaped } = keep(startSweeper(server, prefix));
    await sleep(2 * limits.pollMs);
    bot.kill('SIGKILL');
    const killedAt = now();
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - killedAt).toBeLessThan(promised(boundMs + measuringMs));
    await expect
      .poll(() => reaped.map((orphan) => [orphan.roomName, orphan.reason]))
      .toEqual([[roomName, 'lease-expired']]);
    await bystanders.expectOnlyThese();
  });
});

const describeWithServer = await describeWith('livekit-server');

describeWithServer('the handler of webhooks', () => {
  const answers: { readonly status: number; readonly afterMs: number }[] = [];
  let handle: (request: Request) => Promise<Response>;

  async function receive(): Promise<LiveKitServer> {
    answers.length = 0;
    const fetch = async (request: Request): Promise<Response> => {
      const cameAt = now();
      const response = await handle(request);
      answers.push({ status: response.status, afterMs: now() - cameAt });
      return response;
    };
    const http = serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    keep({ [Symbol.asyncDispose]: async () => void http.close() });
    await once(http, 'listening');
    return startServer((http.address() as AddressInfo).port);
  }

  /** LiveKit sends a room's events one after the other, each when the one before was answered. */
  async function makeEvents(server: LiveKitServer, roomName: string): Promise<void> {
    const rooms = roomService(server);
    await rooms.createRoom({ name: roomName, emptyTimeout: 300 });
    await rooms.deleteRoom(roomName);
    await rooms.createRoom({ name: roomName, emptyTimeout: 300 });
    await expect.poll(() => answers.length, { timeout: 90_000, interval: 10 }).toBe(3);
  }

  function expectPromptAnswers(): void {
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...answers.map(({ afterMs }) => afterMs))).toBeLessThan(promised(1_000));
  }

  it.each([
    // nothing but the events can make it look within the minute
    ['is slow', { toxics: { delayMs: 800 }, times: { pollMs: 60_000, leaseTtlMs: 180_000 } }],
    ['does not answer', { toxics: { blackHole: 'down' }, times: limits }],
  ] as const)(
    'row 70: answers within a second while LiveKit %s, and the look comes later',
    async (_, fault) => {
      handle = async () => new Response();
      const server = await receive();
      const way = keep(await startTcpProxy(server.httpUrl));
      // a list that hangs when the fault ends must not hold up the look for long
      const rest = new LiveKitRESTHelper({ apiUrl: way.url, apiKey, apiSecret, listTimeoutMs: 3_000 });
      const looks: string[] = [];
      const listParticipants: typeof rest.listParticipants = async (name, options) => {
        const participants = await rest.listParticipants(name, options);
        looks.push(name);
        return participants;
      };
      const listRooms = vi.fn(rest.listRooms.bind(rest));
      const spied = { listParticipants, listRooms, deleteRoomByName: rest.deleteRoomByName.bind(rest) };
      const { sweeper } = keep(startSweeper(server, prefix, { rest: spied, ...fault.times }));
      handle = webhookHandler({ apiKey, apiSecret, sweeper });
      await new Promise<void>((resolve) => sweeper.once('swept', () => resolve()));

      await way.poison(fault.toxics);
      const roomName = generateRoomName(prefix);
      await makeEvents(server, roomName);
      await expect.poll(() => listRooms.mock.lastCall?.[0]).toEqual([roomName]);
      expectPromptAnswers();
      expect(looks).toEqual([]);
      if ('blackHole' in fault.toxics) await way.heal();
      await expect.poll(() => looks, { timeout: 90_000 }).toContain(roomName);
    },
  );

  it('row 70: answers at once when the sweeper fails', async () => {
    const lookSooner = vi.fn(() => {
      throw new Error('out of order');
    });
    handle = webhookHandler({ apiKey, apiSecret, sweeper: { lookSooner } });
    const server = await receive();
    const roomName = generateRoomName(prefix);
    await makeEvents(server, roomName);
    expectPromptAnswers();
    expect(lookSooner.mock.calls).toEqual([[roomName], [roomName], [roomName]]);
  });
});
