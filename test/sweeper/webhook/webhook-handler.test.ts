import { createHash, createHmac } from 'node:crypto';
import { WebhookReceiver } from 'livekit-server-sdk';
import { describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../../src/lib/errors.ts';
import { webhookHandler } from '../../../src/sweeper/webhook/webhook-handler.ts';
import { promised } from '../../support/promised.ts';

const apiKey = 'key';
const apiSecret = 'a-secret-that-nobody-knows';
const event = { event: 'participant_left', id: 'EV_1', room: { name: 'agents-1', turnPassword: 'hidden' } };

function hash(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64');
}

function sign(
  claims: object,
  { secret = apiSecret, header = { alg: 'HS256', typ: 'JWT' } as object } = {},
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const nowS = Math.floor(Date.now() / 1_000);
const claimsFor = (body: string) => ({ iss: apiKey, nbf: nowS, exp: nowS + 300, sha256: hash(body) });

interface Delivery {
  readonly body?: string;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

function setup(nowMs: () => number = Date.now) {
  const lookSooner = vi.fn();
  const handle = webhookHandler({ apiKey, apiSecret, sweeper: { lookSooner }, nowMs });
  const deliver = async ({
    body = JSON.stringify(event),
    token,
    headers,
    method = 'POST',
  }: Delivery = {}) => {
    const all = new Headers({ 'content-type': 'application/webhook+json', ...headers });
    const authorization = token === undefined ? sign(claimsFor(body)) : token;
    if (authorization !== null) all.set('authorization', authorization);
    const request = { method, headers: all, ...(method === 'POST' && { body }) };
    return (await handle(new Request('http://localhost/webhook', request))).status;
  };
  return { deliver, handle, lookSooner };
}

describe('webhookHandler', () => {
  it('makes the sweeper look at the room of a genuine event', async () => {
    const { deliver, lookSooner } = setup();
    expect(await deliver()).toBe(200);
    expect(lookSooner.mock.calls).toEqual([['agents-1']]);
  });

  it('accepts what the official receiver accepts', async () => {
    const body = JSON.stringify(event);
    const token = sign(claimsFor(body));
    await expect(new WebhookReceiver(apiKey, apiSecret).receive(body, token)).resolves.toBeDefined();
  });

  const body = JSON.stringify(event);
  const good = sign(claimsFor(body));
  it.each<[string, Delivery]>([
    ['no token', { token: null }],
    ['a wrong secret', { token: sign(claimsFor(body), { secret: 'guessed' }) }],
    ['another issuer', { token: sign({ ...claimsFor(body), iss: 'other' }) }],
    ['no algorithm', { token: sign(claimsFor(body), { header: { alg: 'none' } }) }],
    ['no signature', { token: `${good.split('.').slice(0, 2).join('.')}.` }],
    ['another algorithm in the header', { token: sign(claimsFor(body), { header: { alg: 'HS512' } }) }],
    ['a tampered body', { body: body.replace('agents-1', 'agents-2'), token: good }],
    ['a body that was written again', { body: JSON.stringify(event, null, 1), token: good }],
    [
      'an ordinary access token',
      { token: sign({ iss: apiKey, exp: nowS + 300, video: { roomCreate: true } }) },
    ],
    ['a token without an end', { token: sign({ iss: apiKey, sha256: hash(body) }) }],
    ['a token that is over', { token: sign({ ...claimsFor(body), exp: nowS - 61 }) }],
    ['a token of the future', { token: sign({ ...claimsFor(body), nbf: nowS + 120 }) }],
    ['the word Bearer', { token: `Bearer ${good}` }],
    ['four parts', { token: `${good}.x` }],
    ['rubbish', { token: '💥..'.replace('💥', 'x') }],
    ['a token without end', { token: `${good}${'x'.repeat(5_000)}` }],
  ])('refuses %s', async (_title, delivery) => {
    const { deliver, lookSooner } = setup();
    expect(await deliver(delivery)).toBe(401);
    expect(lookSooner).not.toHaveBeenCalled();
  });

  it.each<[number, Delivery]>([
    [405, { method: 'GET' }],
    [415, { headers: { 'content-type': 'text/plain' } }],
    [413, { body: JSON.stringify({ ...event, filler: 'x'.repeat(1_000_000) }) }],
    [413, { headers: { 'content-length': '65537' } }],
    [400, { body: 'no json' }],
    [400, { body: '{"event":"room_started"}' }],
    [400, { body: '[]' }],
  ])('answers %i to %j', async (status, delivery) => {
    const { deliver, lookSooner } = setup();
    expect(await deliver(delivery)).toBe(status);
    expect(lookSooner).not.toHaveBeenCalled();
  });

  it('takes a replay for what it is, as long as its token is good', async () => {
    let nowMs = Date.now();
    const { deliver, lookSooner } = setup(() => nowMs);
    const token = sign(claimsFor(body));
    await deliver({ token });
    for (let minute = 0; minute < 6; minute += 1) {
      expect([200, 401]).toContain(await deliver({ token }));
      nowMs += 59_900;
    }
    expect(lookSooner).toHaveBeenCalledOnce();
    nowMs += 60_000;
    expect(await deliver({ token })).toBe(401);
  });

  it('has no effect for an event without a room', async () => {
    const { deliver, lookSooner } = setup();
    expect(await deliver({ body: '{"id":"EV_2","event":"ingress_started"}' })).toBe(200);
    expect(lookSooner).not.toHaveBeenCalled();
  });

  it('answers before a slow sweeper has done anything, and when one fails', async () => {
    const { deliver, lookSooner } = setup();
    lookSooner.mockImplementation(() => {
      throw new Error('out of order');
    });
    expect(await deliver()).toBe(200);
  });

  it('answers within a second when the body does not come', async () => {
    const { handle } = setup();
    const headers = { 'content-type': 'application/webhook+json' };
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) });
    const init = { method: 'POST', headers, body: stalled, duplex: 'half' } as RequestInit;
    const startedMs = performance.now();
    expect((await handle(new Request('http://localhost/', init))).status).toBe(408);
    expect(performance.now() - startedMs).toBeLessThan(promised(1_000));
  });

  it.each([
    ['was read already', (request: Request) => request.text()],
    ['is being read by somebody else', (request: Request) => request.body?.getReader()],
  ])('answers when the body %s', async (_title, take) => {
    const { handle, lookSooner } = setup();
    const body = JSON.stringify(event);
    const headers = { 'content-type': 'application/webhook+json', authorization: sign(claimsFor(body)) };
    const request = new Request('http://localhost/webhook', { method: 'POST', body, headers });
    await take(request);
    expect((await handle(request)).status).toBe(400);
    expect(lookSooner).not.toHaveBeenCalled();
  });

  it('answers when its own clock fails', async () => {
    const { deliver } = setup(() => {
      throw new Error('no clock');
    });
    expect(await deliver()).toBe(500);
  });

  it('answers when the body breaks off', async () => {
    const { handle } = setup();
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('reset')) });
    const headers = { 'content-type': 'application/webhook+json' };
    const init = { method: 'POST', headers, body: broken, duplex: 'half' } as RequestInit;
    expect((await handle(new Request('http://localhost/', init))).status).toBe(400);
  });

  it('refuses to be made without keys or a sweeper', () => {
    const sweeper = { lookSooner: () => {} };
    expect(() => webhookHandler({ apiKey: '', apiSecret, sweeper })).toThrow(InvalidOptionError);
    expect(() => webhookHandler({ apiKey, apiSecret: '', sweeper })).toThrow(InvalidOptionError);
    expect(() => webhookHandler({ apiKey, apiSecret } as never)).toThrow(InvalidOptionError);
  });
});
