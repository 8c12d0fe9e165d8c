import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../../src/rooms/room-name.ts';
import { Sweeper } from '../../../src/sweeper/sweeper.ts';
import { webhookHandler } from '../../../src/sweeper/webhook/webhook-handler.ts';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { roomService } from '../../support/room-service.ts';

const describe = await describeWith('livekit-server');
const apiKey = 'key';
const apiSecret = 'a-secret-of-at-least-32-characters';

describe('webhooks of a real server', () => {
  const hints: { readonly name: string; readonly atMs: number }[] = [];
  const statuses: number[] = [];
  let samples: { readonly headers: Headers; readonly body: string }[] = [];
  let handle: (request: Request) => Promise<Response>;
  let http: Server;
  let server: LiveKitServer;
  beforeAll(async () => {
    const app = new Hono();
    app.post('/livekit-webhook', async ({ req }) => {
      samples.push({ headers: req.raw.headers, body: await req.raw.clone().text() });
      const response = await handle(req.raw);
      statuses.push(response.status);
      return response;
    });
    http = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    const webhook = { api_key: apiKey, urls: [`http://127.0.0.1:${port}/livekit-webhook`] };
    server = await startLiveKitServer({ config: { keys: { [apiKey]: apiSecret }, webhook } });
  });
  afterAll(async () => {
    await server.stop();
    http.close();
  });
  beforeEach(() => {
    samples = [];
    statuses.length = 0;
    hints.length = 0;
    const lookSooner = (name: string): void => void hints.push({ name, atMs: performance.now() });
    handle = webhookHandler({ apiKey, apiSecret, sweeper: { lookSooner } });
  });

  async function until(what: () => boolean, limitMs = 30_000): Promise<void> {
    for (const endMs = performance.now() + limitMs; !what(); await sleep(10)) {
      if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    }
  }

  it('are genuine, and start a look within a second', async () => {
    const rest = new LiveKitRESTHelper({ apiUrl: server.url, apiKey, apiSecret });
    const looks: string[] = [];
    const listParticipants: typeof rest.listParticipants = (name, options) => {
      looks.push(name);
      return rest.listParticipants(name, options);
    };
    const spied = {
      listParticipants,
      listRooms: rest.listRooms.bind(rest),
      deleteRoomByName: rest.deleteRoomByName.bind(rest),
    };
    await using sweeper = new Sweeper({
      rest: spied,
      prefix: 'hook-',
      pollMs: 60_000,
      leaseTtlMs: 180_000,
      logger: silentLogger,
    });
    handle = webhookHandler({ apiKey, apiSecret, sweeper });
    sweeper.start();
    await sleep(500);
    const name = generateRoomName('hook-');
    await roomService(server).createRoom({ name });
    await until(() => looks.includes(name), promised(1_000));
    expect(statuses).toContain(200);
  });

  it('are refused when they are changed, and have no effect when they are repeated', async () => {
    await roomService(server).createRoom({ name: 'agents-1' });
    await until(() => hints.length > 0);
    const [sample] = samples;
    const request = (body: string) =>
      new Request('http://localhost/', { method: 'POST', headers: sample?.headers ?? {}, body });
    const before = hints.length;
    expect((await handle(request(sample?.body ?? ''))).status).toBe(200);
    expect((await handle(request(sample?.body.replace('agents-1', 'agents-2') ?? ''))).status).toBe(401);
    const other = webhookHandler({ apiKey, apiSecret: 'another', sweeper: { lookSooner: () => {} } });
    expect((await other(request(sample?.body ?? ''))).status).toBe(401);
    expect(hints).toHaveLength(before);
  });

  it('are no more than hints, also out of order and long after', async () => {
    const rest = new LiveKitRESTHelper({ apiUrl: server.url, apiKey, apiSecret });
    const name = generateRoomName('late-');
    await using sweeper = new Sweeper({ rest, prefix: 'late-', logger: silentLogger });
    const gone: unknown[] = [];
    sweeper.on('roomReaped', (report) => gone.push(report));
    sweeper.start();
    // the room is over, by its events, and then there again
    await roomService(server).createRoom({ name });
    await roomService(server).deleteRoom(name);
    await until(() => samples.some(({ body }) => body.includes('room_finished') && body.includes(name)));
    await roomService(server).createRoom({ name, emptyTimeout: 300 });
    handle = webhookHandler({ apiKey, apiSecret, sweeper });
    const own = samples.filter(({ body }) => body.includes(name));
    for (const { headers, body } of own.toReversed()) {
      const { status } = await handle(new Request('http://localhost/', { method: 'POST', headers, body }));
      expect(status).toBe(200);
    }
    await sleep(1_000);
    expect(gone).toEqual([]);
    expect((await roomService(server).listRooms([name])).map((room) => room.name)).toEqual([name]);
  });
});
