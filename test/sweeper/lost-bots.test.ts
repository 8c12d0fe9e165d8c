/** What only a sweeper can find: whole bots, guardian and all, that are gone without a word. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { generateRoomName } from '../../src/rooms/generated-room-name.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { type DoomedBot, killBots, startBot } from '../support/doomed-bot.ts';
import { endedAfterEach } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { joinToken } from '../support/tokens.ts';
import { startLeasedBots } from './leased-bots.ts';
import { boundMs, limits, measuringMs, startSweeper } from './quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');
vi.setConfig({ testTimeout: 120_000 });

const prefix = 'lost-';
const sweepProgram = fileURLToPath(new URL('./sweep-program.ts', import.meta.url));

describe('a room whose bot and guardian are both gone', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer({ config: {} });
  });
  afterEach(async () => {
    await killBots();
    for (const { name } of await listRooms(server)) await roomService(server).deleteRoom(name);
  });
  afterAll(() => server.stop());
  const keep = endedAfterEach();

  /** A guarded bot with a human, a healthy neighbour, a room with a name like ours, and a sweeper. */
  async function setup<S extends AsyncDisposable>(start: (server: LiveKitServer) => S) {
    const [roomName, neighbour] = [generateRoomName(prefix), generateRoomName(prefix)];
    const lookAlike = `${roomName}-2`;
    await roomService(server).createRoom({ name: lookAlike, emptyTimeout: 300 });
    keep(await startLeasedBots(server, [neighbour]));
    const token = await joinToken(server, roomName, 'human');
    const human = keep(spawnCaller({ url: server.url, token }));
    await human.waitFor('joined', { timeoutMs: 30_000 });
    const bot = await startBot({ server, url: server.url, roomName, leaseBeatMs: 500 });
    const before = await sids(neighbour, lookAlike);
    const sweeper = start(server);
    keep(sweeper);
    await sleep(3 * limits.pollMs);
    return {
      sweeper,
      roomName,
      human,
      bot,
      expectOthersUntouched: async () => {
        expect((await listRooms(server)).map(({ name }) => name).sort()).toEqual(
          [neighbour, lookAlike].sort(),
        );
        expect(await sids(neighbour, lookAlike)).toEqual(before);
      },
    };
  }

  async function sids(...names: readonly string[]): Promise<string[]> {
    return (await listRooms(server, ...names)).map(({ sid }) => sid).sort();
  }

  async function killTogether(bot: DoomedBot): Promise<void> {
    const guardian = await bot.guardianPid();
    process.kill(guardian, 'SIGKILL');
    bot.kill('SIGKILL');
  }

  /** The bot has no time to start another guardian. */
  async function killGuardianFirst(bot: DoomedBot): Promise<void> {
    const guardian = await bot.guardianPid();
    bot.kill('SIGSTOP');
    process.kill(guardian, 'SIGKILL');
    await sleep(200);
    bot.kill('SIGKILL');
  }

  it.each([
    ['together, as with a container', killTogether],
    ['one after the other, the guardian first', killGuardianFirst],
  ])('is swept within leaseTtlMs and two polls when they are killed %s', async (_, kill) => {
    const { bot, sweeper, human, roomName, expectOthersUntouched } = await setup((server) =>
      startSweeper(server, prefix),
    );
    await kill(bot);
    const killedAt = performance.timeOrigin + performance.now();
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 30_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - killedAt).toBeLessThan(promised(boundMs + measuringMs));
    await expect
      .poll(() => sweeper.reaped.map((orphan) => [orphan.roomName, orphan.reason]))
      .toEqual([[roomName, 'lease-expired']]);
    await sleep(2 * limits.leaseTtlMs);
    await expectOthersUntouched();
  });

  it('row 61: is swept one bound after a new sweeper has started, when the old one was killed', async () => {
    const { bot, sweeper, human, roomName, expectOthersUntouched } = await setup(startSweeperProcess);
    sweeper.kill();
    await killTogether(bot);
    await sleep(limits.leaseTtlMs);
    expect(await listRooms(server, roomName)).toHaveLength(1);
    const next = startSweeperProcess(server);
    keep(next);
    await next.swept();
    const startedAt = performance.timeOrigin + performance.now();
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 30_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - startedAt).toBeLessThan(promised(boundMs + measuringMs));
    await sleep(2 * limits.leaseTtlMs);
    await expectOthersUntouched();
  });
});

/** `endframe sweep` in a process of its own. */
function startSweeperProcess({ url, apiKey, apiSecret }: LiveKitServer) {
  const seconds = { poll: limits.pollMs, ttl: limits.leaseTtlMs, grace: limits.graceMs };
  const args = Object.entries(seconds).flatMap(([name, ms]) => [`--${name}`, String(ms / 1_000)]);
  const env = { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  const child = spawnScript(sweepProgram, ['--match', prefix, '--watch', '--yes', '--json', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return {
    /** Once it has made its first pass. */
    swept: async () => void (child.stdout && (await once(child.stdout, 'data'))),
    kill: () => void child.kill('SIGKILL'),
    [Symbol.asyncDispose]: async () => void child.kill('SIGKILL'),
  };
}

describe('LiveKit that was killed and starts again', () => {
  const keep = endedAfterEach();

  /** The room that a caller's client makes again by itself, once it is there. */
  async function comesBack(server: LiveKitServer, name: string, oldSid: string | undefined): Promise<number> {
    const isNew = async () => (await listRooms(server, name).catch(() => []))[0]?.sid ?? oldSid;
    await expect.poll(isNew, { timeout: 30_000, interval: 50 }).not.toBe(oldSid);
    return performance.timeOrigin + performance.now();
  }

  it('row 57: has the room of a human who comes back alone swept, and no other', async () => {
    const keys = { key: 'a-secret-of-at-least-32-characters' };
    const first = keep(await startLiveKitServer({ config: { keys } }));
    const [roomName, neighbour] = [generateRoomName(prefix), generateRoomName(prefix)];
    const doomed = keep(await startLeasedBots(first, [roomName]));
    keep(await startLeasedBots(first, [neighbour]));
    const token = await joinToken(first, roomName, 'human');
    const human: Caller = keep(spawnCaller({ url: first.url, token }));
    await human.waitFor('joined', { timeoutMs: 30_000 });
    const [room] = await listRooms(first, roomName);
    const { reaped } = keep(startSweeper(first, prefix));

    await first.stop();
    doomed.kill('SIGKILL');
    const port = Number(new URL(first.httpUrl).port);
    const server = keep(await startLiveKitServer({ config: { keys, port } }));
    const lookAlike = `${roomName}-2`;
    await roomService(server).createRoom({ name: lookAlike, emptyTimeout: 300 });
    const backAt = await comesBack(server, roomName, room?.sid);

    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 30_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - backAt).toBeLessThan(promised(limits.graceMs + 2 * limits.pollMs + measuringMs));
    await expect
      .poll(() => reaped.map((orphan) => [orphan.roomName, orphan.reason]))
      .toEqual([[roomName, 'bot-gone']]);
    await comesBack(server, neighbour, undefined);
    await sleep(2 * limits.leaseTtlMs);
    const left = (await listRooms(server)).map(({ name }) => name).sort();
    expect(left).toEqual([neighbour, lookAlike].sort());
  });
});
