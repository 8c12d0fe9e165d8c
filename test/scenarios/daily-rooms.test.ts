/** examples/08-daily-rooms.ts against a server that answers as Daily's documentation says. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DailyRest } from '../../examples/08-daily-rooms.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { promised } from '../support/promised.ts';
import { spawnScript } from '../support/run-typescript.ts';

type Answer = readonly [status: number, body: string] | 'silence';

const apiKey = 'a-secret-of-daily';
const deleted: Answer = [200, '{ "deleted": true, "name": "call" }'];
const notFound: Answer = [404, '{ "error": "not-found", "info": "room call not found" }'];
const busy: Answer = [503, 'try later'];
const limited: Answer = [429, '{ "error": "rate-limit-error" }'];
const refused: Answer = [401, '{ "error": "authentication-error" }'];

/** A fake Daily that gives these answers in turn, the last for ever; and a deleter of its room. */
async function setup(...answers: readonly Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    if (answer === undefined || answer === 'silence') return;
    response.writeHead(answer[0], { 'content-type': 'application/json' }).end(answer[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const apiUrl = `http://127.0.0.1:${port}/v1`;
  const rest = new DailyRest({ apiKey, apiUrl });
  return {
    apiUrl,
    requests,
    deletes: (roomName = 'call', deadlineMs = 2_500) =>
      new RoomDeleter({ roomName, rest, deadlineMs, logger: silentLogger }).deleteRoom('end'),
  };
}

describe('a RoomDeleter with rooms of Daily', () => {
  it('deletes a room by its name, with the key', async () => {
    const { requests, deletes } = await setup(deleted);
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 1 });
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['DELETE /v1/rooms/call']);
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${apiKey}`);
  });

  it('runs as a program', async () => {
    const { apiUrl } = await setup(deleted);
    const env = { ...process.env, DAILY_API_KEY: apiKey, DAILY_API_URL: apiUrl };
    const program = spawnScript('examples/08-daily-rooms.ts', ['call'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(program.stdout && (await text(program.stdout))).toBe('deleted, 1 attempts\n');
  });

  it('never leaves the path of the rooms', async () => {
    const { requests, deletes } = await setup(deleted);
    await deletes('../a room?');
    expect(requests[0]?.url).toBe('/v1/rooms/..%2Fa%20room%3F');
  });

  it('counts a room that is not there as gone', async () => {
    const { deletes } = await setup(notFound);
    expect(await deletes()).toMatchObject({ status: 'already-gone', attempts: 1 });
  });

  it.each<[what: string, answers: Answer[], attempts: number]>([
    ['it is busy', [busy, busy, deleted], 3],
    ['it has had too many requests', [limited, deleted], 2],
  ])('tries again when %s', async (_what, answers, attempts) => {
    const { deletes } = await setup(...answers);
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts });
  });

  it.each<[what: string, answer: Answer, kind: string]>([
    ['a refused key', refused, 'auth'],
    ['a 404 of a proxy', [404, '<html>not here</html>'], 'bad_response'],
    ['a word it does not know', [400, '{ "error": "invalid-request-error" }'], 'rejected'],
  ])('fails at once for %s', async (_what, answer, kind) => {
    const { deletes } = await setup(answer);
    const outcome = await deletes();
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1, error: { kind } });
    expect(String(outcome.error)).not.toContain(apiKey);
  });

  it.each<[what: string, answer: Answer]>([
    ['a health page', [200, 'OK']],
    ['a 200 that says it did nothing', [200, '{ "deleted": false }']],
  ])('does not take %s for a deletion', async (_what, answer) => {
    const { deletes } = await setup(answer, notFound);
    expect(await deletes()).toMatchObject({ attempts: 2 });
  });

  it('keeps the deadline when nothing is answered', async () => {
    const { deletes } = await setup('silence');
    const startedAt = Date.now();
    expect(await deletes('call', 300)).toMatchObject({ status: 'failed' });
    expect(Date.now() - startedAt).toBeLessThan(promised(2_000));
  });
});
