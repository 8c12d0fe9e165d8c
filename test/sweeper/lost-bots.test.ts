/** What only a sweeper can find: whole bots, guardian and all, that are gone without a word. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, type TestContext, vi } from 'vitest';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { type DoomedBot, startBot } from '../support/doomed-bot.ts';
import { endedAfter } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import { startLeasedBots } from './leased-bots.ts';
import {
  boundMs,
  limits,
  measuringMs,
  startBystanders,
  startSweeper,
  uniquePrefix,
} from './quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const sweepProgram = fileURLToPath(new URL('./sweep-program.ts', import.meta.url));

// most of it is waiting, and each test has a prefix of its own
describe('a room whose bot and guardian are both gone', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  /** A guarded bot with a human, a healthy neighbour, a room with a name like ours, and a sweeper. */
  async function setup<S extends AsyncDisposable>(
    context: TestContext,
    start: (server: LiveKitServer, prefix: string) => S,
  ) {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('lost');
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    const token = await joinToken(server, roomName, 'human');
    const human = keep(spawnCaller({ url: server.url, token }));
    await human.waitFor('joined');
    const bot = keep(await startBot({ server, url: server.url, roomName, leaseBeatMs: 500 }));
    const sweeper = keep(start(server, prefix));
    await sleep(3 * limits.pollMs);
    return { keep, prefix, sweeper, roomName, human, bot, bystanders };
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

  it.concurrent.for([
    ['together, as with a container', killTogether],
    ['one after the other, the guardian first', killGuardianFirst],
  ] as const)(
    'is swept within leaseTtlMs and two polls when they are killed %s',
    async ([, kill], context) => {
      const { bot, sweeper, human, roomName, bystanders } = await setup(context, startSweeper);
      await kill(bot);
      const killedAt = now();
      const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
      expect(reason).toBe('ROOM_DELETED');
      expect(at - killedAt).toBeLessThan(promised(boundMs + measuringMs));
      const reaped = () => sweeper.reaped.map((orphan) => [orphan.roomName, orphan.reason]);
      await vi.waitFor(() => expect(reaped()).toEqual([[roomName, 'lease-expired']]));
      await sleep(boundMs);
      await bystanders.expectOnlyThese();
    },
  );

  it.concurrent('row 61: is swept one bound after a new sweeper has started, when the old one was killed', async (context) => {
    const { keep, prefix, bot, sweeper, human, roomName, bystanders } = await setup(
      context,
      startSweeperProcess,
    );
    sweeper.kill();
    await killTogether(bot);
    await sleep(limits.leaseTtlMs);
    expect(await listRooms(server, roomName)).toHaveLength(1);
    const next = keep(startSweeperProcess(server, prefix));
    await next.swept();
    const startedAt = now();
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - startedAt).toBeLessThan(promised(boundMs + measuringMs));
    await sleep(boundMs);
    await bystanders.expectOnlyThese();
  });

  /** The room that a caller's client makes again by itself, once it is there. */
  async function comesBack(server: LiveKitServer, name: string, oldSid: string | undefined): Promise<number> {
    const isNew = async () => (await listRooms(server, name).catch(() => []))[0]?.sid ?? oldSid;
    await vi.waitUntil(async () => (await isNew()) !== oldSid, { timeout: 90_000, interval: 50 });
    return now();
  }

  it.concurrent('row 57: is swept when LiveKit was killed and its human comes back alone, and no other', async (context) => {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('lost');
    const keys = { key: 'a-secret-of-at-least-32-characters' };
    const first = keep(await startLiveKitServer({ config: { keys } }));
    const [roomName, neighbour] = [generateRoomName(prefix), generateRoomName(prefix)];
    const doomed = keep(await startLeasedBots(first, [roomName]));
    keep(await startLeasedBots(first, [neighbour]));
    const token = await joinToken(first, roomName, 'human');
    const human = keep(spawnCaller({ url: first.url, token }));
    await human.waitFor('joined');
    const [room] = await listRooms(first, roomName);
    const { reaped } = keep(startSweeper(first, prefix));

    await first.stop();
    doomed.kill('SIGKILL');
    const port = Number(new URL(first.httpUrl).port);
    const again = keep(await startLiveKitServer({ config: { keys, port } }));
    const lookAlike = `${roomName}-2`;
    await roomService(again).createRoom({ name: lookAlike, emptyTimeout: 300 });
    const backAt = await comesBack(again, roomName, room?.sid);

    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - backAt).toBeLessThan(promised(limits.graceMs + 2 * limits.pollMs + measuringMs));
    const orphans = () => reaped.map((orphan) => [orphan.roomName, orphan.reason]);
    await vi.waitFor(() => expect(orphans()).toEqual([[roomName, 'bot-gone']]));
    await comesBack(again, neighbour, undefined);
    await sleep(boundMs);
    const left = (await listRooms(again)).map(({ name }) => name).sort();
    expect(left).toEqual([neighbour, lookAlike].sort());
  });
});

/** `endframe sweep` in a process of its own. */
function startSweeperProcess({ url, apiKey, apiSecret }: LiveKitServer, prefix: string) {
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
