import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { generateRoomName } from '../../src/rooms/generated-room-name.ts';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import type { OrphanReport } from '../../src/sweeper/sweep-report.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { endedAfterEach } from '../support/ended-after-each.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { joinToken } from '../support/tokens.ts';
import { prepareLeasedBots, startLeasedBots } from './leased-bots.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

// a look that takes longer than a poll counts for nothing: shorter ones are for idle machines
const limits = { pollMs: 1_000, leaseTtlMs: 4_000, graceMs: 4_000 };
const boundMs = limits.leaseTtlMs + 2 * limits.pollMs;
const sweepProgram = fileURLToPath(new URL('./sweep-program.ts', import.meta.url));
/** A machine that is too busy to look in time makes the sweeper begin anew, once. */
const marginMs = limits.leaseTtlMs + 1_000;

describe('a sweeper on a real server', () => {
  const prefix = `${generateRoomName().slice(-8)}-`;
  const crowd: AsyncDisposable[] = [];
  let server: LiveKitServer;

  /** Five live bots, two that may not write attributes, and a look-alike of somebody else. */
  beforeAll(async () => {
    server = await startLiveKitServer({ config: {} });
    const rooms = Array.from({ length: 7 }, () => generateRoomName(prefix));
    crowd.push(
      await startLeasedBots(server, rooms.slice(0, 5)),
      await startLeasedBots(server, rooms.slice(5), { grant: { canUpdateOwnMetadata: false } }),
    );
    await roomService(server).createRoom({ name: `${prefix}of-somebody-else`, emptyTimeout: 600 });
  });
  afterAll(async () => {
    for (const bots of crowd) await bots[Symbol.asyncDispose]();
    await server.stop();
  });
  const keep = endedAfterEach();

  function sweep() {
    const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.url, attemptTimeoutMs: 500 });
    const sweeper = keep(new Sweeper({ rest, prefix, logger: silentLogger, ...limits }));
    const reaped: OrphanReport[] = [];
    const failed: unknown[] = [];
    sweeper.on('roomReaped', (report) => reaped.push(report));
    sweeper.on('roomReapFailed', (report) => failed.push(report));
    sweeper.start();
    return { sweeper, reaped, failed };
  }

  /** A bot that is to die, with a human in its room. */
  async function setup() {
    const doomedRoom = generateRoomName(prefix);
    keep({
      [Symbol.asyncDispose]: () =>
        roomService(server)
          .deleteRoom(doomedRoom)
          .catch(() => {}),
    });
    const doomed = keep(await startLeasedBots(server, [doomedRoom]));
    const token = await joinToken(server, doomedRoom, 'human');
    const human = keep(spawnCaller({ url: server.url, token }));
    await human.waitFor('joined');
    const others = async (): Promise<string[]> => {
      const rooms = (await listRooms(server)).filter(({ name }) => name !== doomedRoom);
      return rooms.map(({ sid }) => sid).sort();
    };
    const before = await others();
    expect(before).toHaveLength(8);
    return {
      doomed,
      doomedRoom,
      human,
      expectOthersUntouched: async () => expect(await others()).toEqual(before),
      goneAfterMs: async (limitMs: number): Promise<number> => {
        const startedMs = performance.now();
        while ((await listRooms(server, doomedRoom)).length > 0) {
          if (performance.now() - startedMs > limitMs) throw new Error(`still there after ${limitMs} ms`);
          await sleep(20);
        }
        return performance.now() - startedMs;
      },
    };
  }

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'deletes the room of a bot after %s, and no other',
    async (signal) => {
      const { doomed, human, expectOthersUntouched, goneAfterMs } = await setup();
      const { reaped } = sweep();
      await sleep(1_000);
      doomed.kill(signal);
      expect(await goneAfterMs(boundMs + marginMs)).toBeGreaterThan(limits.leaseTtlMs - 2 * limits.pollMs);
      expect((await human.waitFor('disconnected')).reason).toBe('ROOM_DELETED');
      await sleep(2 * limits.graceMs);
      await expectOthersUntouched();
      expect(reaped.map(({ reason }) => reason)).toEqual(['lease-expired']);
    },
  );

  it('deletes one room once with two sweepers, without an error', async () => {
    const { doomed, expectOthersUntouched, goneAfterMs } = await setup();
    const [one, two] = [sweep(), sweep()];
    await sleep(500);
    doomed.kill('SIGKILL');
    await goneAfterMs(boundMs + marginMs);
    await sleep(500);
    expect([...one.reaped, ...two.reaped].filter(({ status }) => status === 'deleted')).toHaveLength(1);
    expect([...one.failed, ...two.failed]).toEqual([]);
    await expectOthersUntouched();
  });

  it('deletes no room of a live bot while LiveKit is frozen, and the dead one afterwards', async () => {
    const { doomed, expectOthersUntouched, goneAfterMs } = await setup();
    const { reaped } = sweep();
    await sleep(1_000);
    doomed.kill('SIGKILL');
    process.kill(server.pid ?? 0, 'SIGSTOP');
    await sleep(3 * limits.leaseTtlMs);
    process.kill(server.pid ?? 0, 'SIGCONT');
    await goneAfterMs(2 * boundMs + marginMs);
    await sleep(limits.leaseTtlMs);
    await expectOthersUntouched();
    expect(reaped).toHaveLength(1);
  }, 60_000);

  it('keeps the room of a bot that starts again within the time', async () => {
    const { doomed, doomedRoom, expectOthersUntouched } = await setup();
    const standby = await prepareLeasedBots(server);
    const { reaped } = sweep();
    doomed.kill('SIGKILL');
    await sleep(limits.leaseTtlMs / 3);
    keep(await standby.join([doomedRoom]));
    await sleep(2 * limits.leaseTtlMs);
    expect(reaped).toEqual([]);
    expect(await listRooms(server, doomedRoom)).toHaveLength(1);
    await expectOthersUntouched();
  });

  it('stands still with its own process, and starts again', async () => {
    const { doomedRoom, doomed, expectOthersUntouched, goneAfterMs } = await setup();
    const env = { ...process.env, ...envOf(server) };
    const args = [
      '--match',
      prefix,
      '--watch',
      '--yes',
      '--json',
      '--poll',
      `${limits.pollMs / 1_000}`,
      '--ttl',
      `${limits.leaseTtlMs / 1_000}`,
      '--grace',
      `${limits.graceMs / 1_000}`,
    ];
    const sweeper = spawnScript(sweepProgram, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    keep({ [Symbol.asyncDispose]: async () => void sweeper.kill('SIGKILL') });
    let output = '';
    sweeper.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    while (!output.includes('swept')) await sleep(50);
    sweeper.kill('SIGSTOP');
    await sleep(3 * limits.leaseTtlMs);
    sweeper.kill('SIGCONT');
    await sleep(2 * boundMs);
    await expectOthersUntouched();
    expect(output).not.toContain('"orphan"');
    doomed.kill('SIGKILL');
    await goneAfterMs(boundMs + marginMs);
    await expectOthersUntouched();
    // it is told at the end of the pass
    await expect.poll(() => output, { timeout: 3_000 }).toContain(doomedRoom);
    expect(output).not.toContain(server.apiSecret);
  }, 60_000);
});

function envOf({ url, apiKey, apiSecret }: LiveKitServer) {
  return { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
}
