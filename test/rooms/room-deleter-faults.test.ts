/** RoomDeleter with LiveKitRESTHelper over real sockets, against servers that misbehave. */

import { describe, expect, it } from 'vitest';
import type { Logger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import {
  type Answer,
  answers,
  answersAfter,
  confirms,
  endlessBody,
  knowsNoSuchRoom,
  neverAnswers,
  type ReceivedRequest,
  resets,
  resetsInTheBody,
  serve,
  speaksNoHttp,
  stallsInTheBody,
} from './rest/misbehaving-server.ts';

const apiSecret = 'test-secret-that-nobody-may-see';
const page = answers(200, '<!doctype html>');
const elsewhere = answers(307, '', { Location: 'http://127.0.0.1:9/' });
const echoesTheToken: Answer = (response, { headers }) => {
  response.writeHead(401).end(`invalid token: ${headers.authorization?.slice(7)}, secret ${apiSecret}`);
};

/** By default limits for a server that answers, on a busy machine. */
async function setup(answer: Answer[], { attemptTimeoutMs = 20_000, deadlineMs = 40_000 } = {}) {
  const server = await serve(...answer);
  const lines: string[] = [];
  const log: Logger['error'] = (fields, message) => {
    lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`,
    );
  };
  const rest = new LiveKitRESTHelper({ apiKey: 'key', apiSecret, apiUrl: server.url, attemptTimeoutMs });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const deleter = new RoomDeleter({ roomName: 'room', rest, logger, deadlineMs });
  return { ...server, deleter, lines };
}

/** An attempt may list the room before. */
const deletions = (requests: readonly ReceivedRequest[]): number =>
  requests.filter(({ url }) => url?.endsWith('/DeleteRoom')).length;

describe.concurrent('RoomDeleter against a server that', () => {
  it.each([
    ['answers late', [answersAfter(50, confirms)], 'deleted', 1],
    ['resets, and the room is gone', [resets, knowsNoSuchRoom], 'deleted', 2],
    ['sends half a body, and the room is gone', [resetsInTheBody(), knowsNoSuchRoom], 'deleted', 2],
    ['has an endless body once', [endlessBody(), confirms], 'deleted', 2],
    ['is no HTTP server the first time', [speaksNoHttp, confirms], 'deleted', 2],
    ['shows a page first', [page, confirms], 'deleted', 2],
    ['is busy twice', [answers(503), answers(500), confirms], 'deleted', 3],
    ['asks for patience', [answers(429, '', { 'Retry-After': '0' }), confirms], 'deleted', 2],
    ['knows no such room', [knowsNoSuchRoom], 'already-gone', 1],
    ['redirects', [elsewhere], 'failed', 1],
    ['refuses', [echoesTheToken], 'failed', 1],
    ['has the wrong path', [answers(404, '404 page not found')], 'failed', 1],
  ] as const)('%s', async (_, answer, status, attempts) => {
    const { deleter, requests } = await setup([...answer]);
    const outcome = await deleter.deleteRoom('end');
    expect(outcome).toMatchObject({ status, attempts });
    expect(requests).toHaveLength(attempts);
  });

  it.each([
    ['never answers the first time', [neverAnswers, confirms]],
    ['loses its answer', [neverAnswers, knowsNoSuchRoom]],
    ['stalls in the body', [stallsInTheBody, confirms]],
  ] as const)('%s', async (_, answer) => {
    const { deleter, requests } = await setup([...answer], { attemptTimeoutMs: 500 });
    const { status, attempts } = await deleter.deleteRoom('end');
    expect(status).toBe('deleted');
    expect(requests.length).toBeGreaterThanOrEqual(2);
    // on a busy machine one may have ended before it arrived
    expect(attempts).toBeGreaterThanOrEqual(deletions(requests));
  });

  it.each([
    ['never answers', neverAnswers],
    ['always resets', resets],
    ['is always busy', answers(503)],
    ['asks for an hour', answers(429, '', { 'Retry-After': '3600' })],
    ['always shows a page', page],
    ['always has an endless body', endlessBody()],
    ['always says 200 with an error', answers(200, '{"error":"no upstream"}')],
    ['always says 200 with a code', answers(200, '{"code":"unauthenticated"}')],
    ['speaks no HTTP', speaksNoHttp],
  ] as const)('%s: it fails at the deadline', async (_, answer) => {
    const { deleter, requests } = await setup([answer], { attemptTimeoutMs: 250, deadlineMs: 1_000 });
    const outcome = await deleter.deleteRoom('end');
    expect(outcome).toMatchObject({ status: 'failed', error: { retryable: true } });
    expect(deletions(requests)).toBeLessThanOrEqual(outcome.attempts);
  });

  it('lists no rooms, but an error with 200: a room is not taken for gone', async () => {
    const { deleter } = await setup([answers(200, '{"error":"no upstream"}')], { deadlineMs: 1_000 });
    deleter.identify({ sid: 'RM_1' });
    expect(await deleter.deleteRoom('end')).toMatchObject({
      status: 'failed',
      error: { kind: 'bad_response' },
    });
  });

  it('comes up late', async () => {
    const { deleter, url, close } = await setup([confirms]);
    await close();
    const result = deleter.deleteRoom('end');
    const { createServer } = await import('node:http');
    const late = createServer((_, response) => void response.end('{}'));
    setTimeout(() => late.listen(Number(new URL(url).port), '127.0.0.1'), 200);
    expect(await result).toMatchObject({ status: 'deleted' });
    late.closeAllConnections();
    late.close();
  });

  it('gets one request for a hundred calls', async () => {
    const { deleter, requests } = await setup([confirms]);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => deleter.deleteRoom('end')));
    expect(new Set(outcomes).size).toBe(1);
    expect(requests).toHaveLength(1);
  });

  it('repeats the token: neither it nor the secret is logged or told', async () => {
    const { deleter, lines } = await setup([answers(503, apiSecret), echoesTheToken]);
    await deleter.warmUp();
    const outcome = await deleter.deleteRoom('end');
    const told = [...lines, JSON.stringify(outcome), outcome.error?.stack, outcome.error?.message].join('\n');
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'auth' } });
    expect(lines.length).toBeGreaterThan(1);
    expect(told).not.toContain('eyJ');
    expect(told).not.toContain(apiSecret);
    expect(told).toContain('[redacted]');
  });
});
