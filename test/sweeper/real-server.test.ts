import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { generateRoomName } from '../../src/rooms/generated-room-name.ts';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import type { OrphanReport } from '../../src/sweeper/sweep-report.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { SweeperOptions } from '../../src/sweeper/sweeper-options.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { joinToken } from '../support/tokens.ts';
import { type LeasedBotsOptions, startLeasedBots } from './leased-bots.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const limits = { pollMs: 250, leaseTtlMs: 2_000, graceMs: 2_000 };
const boundMs = limits.leaseTtlMs + 2 * limits.pollMs;
/** For the processes of a busy machine. */
const marginMs = 1_500;

describe('a sweeper on a real server', () => {
  const toEnd: AsyncDisposable[] = [];
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer({ config: {} });
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const resource of toEnd.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  });

  function keep<T extends AsyncDisposable>(resource: T): T {
    toEnd.push(resource);
    return resource;
  }

  function sweep(prefix: string, options: Partial<SweeperOptions> = {}) {
    const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.url, attemptTimeoutMs: 500 });
    const sweeper = keep(new Sweeper({ rest, prefix, logger: silentLogger, ...limits, ...options }));
    const reaped: OrphanReport[] = [];
    const failed: unknown[] = [];
    sweeper.on('roomReaped', (report) => reaped.push(report));
    sweeper.on('roomReapFailed', (report) => failed.push(report));
    sweeper.start();
    return { sweeper, reaped, failed };
  }

  /** Five live bots, one that is to die with a human in its room, and a look-alike of somebody else. */
  async function setup(options?: LeasedBotsOptions) {
    const prefix = `${generateRoomName().slice(-8)}-`;
    const rooms = Array.from({ length: 6 }, () => generateRoomName(prefix));
    const [doomedRoom = '', ...liveRooms] = rooms;
    const foreign = `${prefix}of-somebody-else`;
    await roomService(server).createRoom({ name: foreign, emptyTimeout: 600 });
    keep(await startLeasedBots(server, liveRooms, options));
    const doomed = keep(await startLeasedBots(server, [doomedRoom]));
    const human = keep(spawnCaller({ url: server.url, token: await joinToken(server, doomedRoom, 'human') }));
    await human.waitFor('joined');
    return {
      prefix,
      doomed,
      doomedRoom,
      human,
      /** Everything but the doomed room is still there, sid by sid. */
      others: async () =>
        (await listRooms(server))
          .filter(({ name }) => name.startsWith(prefix) && name !== doomedRoom)
          .map(({ sid }) => sid)
          .sort(),
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
      const { prefix, doomed, human, others, goneAfterMs } = await setup();
      const before = await others();
      const { reaped } = sweep(prefix);
      await sleep(1_000);
      doomed.kill(signal);
      expect(await goneAfterMs(boundMs + marginMs)).toBeGreaterThan(limits.leaseTtlMs - 600);
      expect((await human.waitFor('disconnected')).reason).toBe('ROOM_DELETED');
      await sleep(1_000);
      expect(await others()).toEqual(before);
      expect(before).toHaveLength(6);
      expect(reaped.map(({ reason }) => reason)).toEqual(['lease-expired']);
    },
  );

  it('deletes one room once with two sweepers, without an error', async () => {
    const { prefix, doomed, others, goneAfterMs } = await setup();
    const before = await others();
    const [one, two] = [sweep(prefix), sweep(prefix)];
    await sleep(500);
    doomed.kill('SIGKILL');
    await goneAfterMs(boundMs + marginMs);
    await sleep(500);
    expect([...one.reaped, ...two.reaped].filter(({ status }) => status === 'deleted')).toHaveLength(1);
    expect([...one.failed, ...two.failed]).toEqual([]);
    expect(await others()).toEqual(before);
  });

  it('deletes no room of a live bot while LiveKit is frozen, and the dead one afterwards', async () => {
    const { prefix, doomed, others, goneAfterMs } = await setup();
    const before = await others();
    const { reaped } = sweep(prefix);
    await sleep(1_000);
    doomed.kill('SIGKILL');
    process.kill(server.pid ?? 0, 'SIGSTOP');
    await sleep(6_000);
    process.kill(server.pid ?? 0, 'SIGCONT');
    await goneAfterMs(2 * boundMs + marginMs);
    await sleep(2_000);
    expect(await others()).toEqual(before);
    expect(reaped).toHaveLength(1);
  });

  it('goes by presence where bots may not write attributes', async () => {
    const { prefix, doomed, others, goneAfterMs } = await setup({ grant: { canUpdateOwnMetadata: false } });
    const before = await others();
    sweep(prefix);
    await sleep(1_000);
    doomed.kill('SIGKILL');
    await goneAfterMs(boundMs + marginMs);
    await sleep(2 * limits.graceMs);
    expect(await others()).toEqual(before);
  });

  it('keeps the room of a bot that starts again within the time', async () => {
    const { prefix, doomed, doomedRoom, others } = await setup();
    const before = await others();
    const { reaped } = sweep(prefix);
    await sleep(1_000);
    doomed.kill('SIGKILL');
    keep(await startLeasedBots(server, [doomedRoom]));
    await sleep(2 * limits.leaseTtlMs);
    expect(reaped).toEqual([]);
    expect(await listRooms(server, doomedRoom)).toHaveLength(1);
    expect(await others()).toEqual(before);
  });
});
