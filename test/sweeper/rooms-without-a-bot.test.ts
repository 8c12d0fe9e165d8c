/** Rooms that LiveKit keeps although no bot will ever end them. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { endedAfter, type Keep } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listParticipants, listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import {
  boundMs,
  limits,
  measuringMs,
  startBystanders,
  startSweeper,
  uniquePrefix,
} from './quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');
const plainBotProgram = fileURLToPath(new URL('./plain-bot-program.ts', import.meta.url));

// most of it is waiting, and each test has a prefix of its own
describe('a room', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    // one that does not end them by itself meanwhile
    const room = { empty_timeout: 600, departure_timeout: 600 };
    server = await startLiveKitServer({ config: { room } });
  });
  afterAll(() => server.stop());

  /** A bot without the agent grant and without a lease, whose human has just hung up. */
  async function leaveBotAlone(roomName: string, keep: Keep) {
    const token = await joinToken(server, roomName, 'bot-1');
    const env = { ...process.env, LIVEKIT_URL: server.url, TOKEN: token };
    const child = spawnScript(plainBotProgram, [], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    keep({ [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') });
    let output = '';
    let outAt = Number.NaN;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes('disconnected')) outAt = now();
    });
    const exited = once(child, 'exit');
    await vi.waitUntil(() => output.includes('started'), { timeout: 90_000 });
    const human = keep(spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'human') }));
    await human.waitFor('joined');
    await human.leave();
    const inside = async () => (await listParticipants(server, roomName)).map(({ identity }) => identity);
    await vi.waitFor(async () => expect(await inside()).toEqual(['bot-1']), { timeout: 90_000 });
    return {
      /** When the bot was thrown out, after which it has to end by itself. */
      isOut: async () => {
        expect(await exited).toEqual([0, null]);
        expect(output).toContain('ROOM_DELETED');
        return outAt;
      },
    };
  }

  it.concurrent('row 55: of a bot without the agent grant is swept when its human has left', async (context) => {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('plain');
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    const bot = await leaveBotAlone(roomName, keep);
    const startedAt = now();
    const { reaped } = keep(startSweeper(server, prefix));
    expect((await bot.isOut()) - startedAt).toBeLessThan(promised(boundMs + measuringMs));
    const orphans = () => reaped.map((orphan) => [orphan.roomName, orphan.reason]);
    await vi.waitFor(() => expect(orphans()).toEqual([[roomName, 'bot-gone']]));
    await sleep(2 * limits.pollMs);
    await bystanders.expectOnlyThese();
  });

  it.concurrent('row 55: of a bot that the sweeper knows by its name stays until it is too old', async (context) => {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('named');
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName, generateRoomName('other-')));
    const maxSessionMs = boundMs + limits.graceMs;
    const bot = await leaveBotAlone(roomName, keep);
    const [room] = await listRooms(server, roomName);
    const createdAt = Number(room?.creationTimeMs);
    const isBot = ({ identity }: { readonly identity: string }) => identity.startsWith('bot-');
    const { reaped } = keep(startSweeper(server, prefix, { isBot, maxSessionMs }));
    const outAt = await bot.isOut();
    expect(outAt - createdAt).toBeGreaterThan(maxSessionMs);
    // the server's clock is read from its answers, in whole seconds
    expect(outAt - createdAt).toBeLessThan(promised(maxSessionMs + 1_000 + 2 * limits.pollMs + measuringMs));
    const orphans = () => reaped.map((orphan) => [orphan.roomName, orphan.reason]);
    await vi.waitFor(() => expect(orphans()).toEqual([[roomName, 'too-old']]));
    await bystanders.expectOnlyThese();
  });

  it.concurrent('row 58: with nobody inside is swept, however it came to be', async (context) => {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('ghost');
    const [created, cut, ...raced] = Array.from({ length: 50 }, () => generateRoomName(prefix));
    const bystanders = keep(await startBystanders(server, created ?? ''));
    await roomService(server).createRoom({ name: created ?? '', emptyTimeout: 600 });
    (await knock(cut ?? '')).resetAndDestroy();
    for (const name of raced) await joinWhileDeleting(name);
    const ghosts = (await listRooms(server)).map(({ name }) => name).filter((name) => isOneOf(name));
    expect(ghosts).toEqual(expect.arrayContaining([created, cut]));
    expect(await listParticipants(server, cut ?? '')).toEqual([]);

    const startedAt = now();
    const { reaped } = keep(startSweeper(server, prefix, { minDeletionCap: ghosts.length }));
    const left = async () => (await listRooms(server)).map(({ name }) => name).filter(isOneOf);
    await vi.waitFor(async () => expect(await left()).toEqual([]), {
      timeout: promised(2 * boundMs),
      interval: 50,
    });
    expect(now() - startedAt).toBeLessThan(promised(boundMs + measuringMs));
    await vi.waitFor(() => expect(reaped.map(({ roomName }) => roomName).sort()).toEqual(ghosts.sort()));
    await bystanders.expectOnlyThese();

    function isOneOf(name: string): boolean {
      return [created, cut, ...raced].includes(name);
    }
  });

  /** As many clients as it takes to bring back a room, in some of the cases, that is just being deleted. */
  async function joinWhileDeleting(roomName: string): Promise<void> {
    const clients = await Promise.all([1, 2, 3].map((number) => open(roomName, `human-${number}`)));
    await Promise.race(clients.map((client) => once(client, 'data')));
    await roomService(server)
      .deleteRoom(roomName)
      .catch(() => {});
    for (const client of clients) client.resetAndDestroy();
  }

  /** Resolves when LiveKit has let it in. */
  async function knock(roomName: string): Promise<Socket> {
    const client = await open(roomName, 'human');
    const [answer] = await once(client, 'data');
    expect(String(answer)).toContain('101 Switching Protocols');
    return client;
  }

  /** A client that speaks just enough of LiveKit's protocol to join, and nothing after that. */
  async function open(roomName: string, identity: string): Promise<Socket> {
    const { hostname, port, host } = new URL(server.httpUrl);
    const token = await joinToken(server, roomName, identity);
    const client = connect(Number(port), hostname).on('error', () => {});
    const headers = [
      `GET /rtc?access_token=${token}&protocol=15&sdk=js HTTP/1.1`,
      `Host: ${host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    ];
    client.write(`${headers.join('\r\n')}\r\n\r\n`);
    return client;
  }
});
