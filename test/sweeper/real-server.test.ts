import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, type TestContext, vi } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { OrphanReport } from '../../src/sweeper/sweeper-events.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { endedAfter } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import { prepareLeasedBots, startLeasedBots } from './leased-bots.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

// a look that takes longer than a poll counts for nothing: shorter ones are for idle machines
const limits = { pollMs: 1_000, leaseTtlMs: 4_000, graceMs: 4_000 };
const boundMs = limits.leaseTtlMs + 2 * limits.pollMs;
const sweepProgram = fileURLToPath(new URL('./sweep-program.ts', import.meta.url));
/** A machine that is too busy to look in time makes the sweeper begin anew, once. */
const marginMs = limits.leaseTtlMs + 1_000;

// most of it is waiting, and each test has a prefix of its own
describe('a sweeper on a real server', () => {
  let shared: LiveKitServer;
  beforeAll(async () => {
    shared = await sharedLiveKit();
  });

  /** A bot that is to die, with a human in its room; two live bots, one that may not write attributes, a look-alike. */
  async function setup(context: TestContext, server = shared) {
    const keep = endedAfter(context);
    const prefix = `${generateRoomName().slice(-8)}-`;
    const [doomedRoom, mute, ...live] = [1, 2, 3, 4].map(() => generateRoomName(prefix)) as [string, string];
    const foreign = `${prefix}of-somebody-else`;
    const all = [doomedRoom, mute, ...live, foreign];
    keep({ [Symbol.asyncDispose]: () => deleteRooms(server, all) });
    await roomService(server).createRoom({ name: foreign, emptyTimeout: 600 });
    const grant = (room: string) => ({ canUpdateOwnMetadata: room !== mute });
    const [doomed] = await Promise.all([
      startLeasedBots(server, [doomedRoom]).then(keep),
      startLeasedBots(server, [mute, ...live], { grant }).then(keep),
    ]);
    const token = await joinToken(server, doomedRoom, 'human');
    const human = keep(spawnCaller({ url: server.url, token }));
    await human.waitFor('joined');
    const others = async (): Promise<string[]> =>
      (await listRooms(server, mute, ...live, foreign)).map(({ sid }) => sid).sort();
    const before = await others();
    expect(before).toHaveLength(4);
    return {
      keep,
      prefix,
      doomed,
      doomedRoom,
      sweep: (options: { leaseTtlMs?: number; graceMs?: number } = {}) => {
        const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.url, attemptTimeoutMs: 500 });
        const logger = silentLogger;
        const sweeper = keep(new Sweeper({ rest, prefix, logger, ...limits, ...options }));
        const reaped: OrphanReport[] = [];
        const failed: unknown[] = [];
        sweeper.on('roomReaped', (report) => reaped.push(report));
        sweeper.on('roomReapFailed', (report) => failed.push(report));
        const swept = new Promise((resolve) => sweeper.once('swept', resolve));
        sweeper.start();
        return { sweeper, reaped, failed, swept };
      },
      expectOthersUntouched: async () => expect(await others()).toEqual(before),
      /** @returns How long it took from then on. */
      isDeleted: async (sinceMs: number): Promise<number> => {
        const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
        expect(reason).toBe('ROOM_DELETED');
        await vi.waitFor(async () => expect(await listRooms(server, doomedRoom)).toEqual([]), 5_000);
        return at - sinceMs;
      },
    };
  }

  it.concurrent.for(['SIGKILL', 'SIGSTOP'] as const)(
    'deletes the room of a bot after %s, and no other',
    async (signal, context) => {
      const { doomed, sweep, isDeleted, expectOthersUntouched } = await setup(context);
      const { reaped, swept } = sweep();
      await swept;
      doomed.kill(signal);
      const tookMs = await isDeleted(now());
      expect(tookMs).toBeGreaterThan(limits.leaseTtlMs - 2 * limits.pollMs);
      expect(tookMs).toBeLessThan(promised(boundMs + marginMs));
      await sleep(boundMs);
      await expectOthersUntouched();
      expect(reaped.map(({ reason }) => reason)).toEqual(['lease-expired']);
    },
  );

  it.concurrent('deletes one room once with two sweepers, without an error', async (context) => {
    const { doomed, sweep, isDeleted, expectOthersUntouched } = await setup(context);
    const [one, two] = [sweep(), sweep()];
    await Promise.all([one.swept, two.swept]);
    doomed.kill('SIGKILL');
    expect(await isDeleted(now())).toBeLessThan(promised(boundMs + marginMs));
    // the other one finds it gone in its next pass
    await sleep(2 * limits.pollMs);
    expect([...one.reaped, ...two.reaped].filter(({ status }) => status === 'deleted')).toHaveLength(1);
    expect([...one.failed, ...two.failed]).toEqual([]);
    await expectOthersUntouched();
  });

  it.concurrent('deletes no room of a live bot while LiveKit is frozen, and the dead one afterwards', async (context) => {
    const server = await startLiveKitServer({ config: {} });
    context.onTestFinished(() => server.stop());
    const { doomed, sweep, isDeleted, expectOthersUntouched } = await setup(context, server);
    const { reaped, swept } = sweep();
    await swept;
    doomed.kill('SIGKILL');
    process.kill(server.pid ?? 0, 'SIGSTOP');
    await sleep(2 * limits.leaseTtlMs);
    process.kill(server.pid ?? 0, 'SIGCONT');
    expect(await isDeleted(now())).toBeLessThan(promised(2 * boundMs + marginMs));
    await sleep(limits.leaseTtlMs);
    await expectOthersUntouched();
    expect(reaped).toHaveLength(1);
  });

  it.concurrent('keeps the room of a bot that starts again within the time', async (context) => {
    const { keep, doomed, doomedRoom, sweep, expectOthersUntouched } = await setup(context);
    const standby = await prepareLeasedBots(shared);
    // the new bot needs time to join
    const leaseTtlMs = 8_000;
    const { reaped, swept } = sweep({ leaseTtlMs, graceMs: leaseTtlMs });
    await swept;
    doomed.kill('SIGKILL');
    keep(await standby.join([doomedRoom]));
    await sleep(leaseTtlMs + 2 * limits.pollMs);
    expect(reaped).toEqual([]);
    expect(await listRooms(shared, doomedRoom)).toHaveLength(1);
    await expectOthersUntouched();
  });

  it.concurrent('stands still with its own process, and starts again', async (context) => {
    const { keep, prefix, doomedRoom, doomed, isDeleted, expectOthersUntouched } = await setup(context);
    const seconds = { poll: limits.pollMs, ttl: limits.leaseTtlMs, grace: limits.graceMs };
    const args = Object.entries(seconds).flatMap(([name, ms]) => [`--${name}`, String(ms / 1_000)]);
    const sweeper = spawnScript(sweepProgram, ['--match', prefix, '--watch', '--yes', '--json', ...args], {
      env: { ...process.env, ...envOf(shared) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    keep({ [Symbol.asyncDispose]: async () => void sweeper.kill('SIGKILL') });
    let output = '';
    sweeper.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    await vi.waitUntil(() => output.includes('swept'), { timeout: 90_000, interval: 50 });
    sweeper.kill('SIGSTOP');
    await sleep(2 * limits.leaseTtlMs);
    sweeper.kill('SIGCONT');
    await sleep(boundMs);
    await expectOthersUntouched();
    expect(output).not.toContain('"orphan"');
    doomed.kill('SIGKILL');
    expect(await isDeleted(now())).toBeLessThan(promised(boundMs + marginMs));
    await expectOthersUntouched();
    // it is told at the end of the pass
    await vi.waitUntil(() => output.includes(doomedRoom), { timeout: 90_000 });
    expect(output).not.toContain(shared.apiSecret);
  });
});

async function deleteRooms(server: LiveKitServer, names: readonly string[]): Promise<void> {
  const rooms = roomService(server);
  await Promise.allSettled(names.map((name) => rooms.deleteRoom(name)));
}

function envOf({ url, apiKey, apiSecret }: LiveKitServer) {
  return { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
}
