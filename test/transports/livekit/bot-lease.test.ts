import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { EndFrame, StopFrame } from '../../../src/frames/lifecycle.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { leaseAttribute } from '../../../src/rooms/lease.ts';
import { LiveKitRESTHelper } from '../../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../../src/rooms/room-name.ts';
import { Sweeper } from '../../../src/sweeper/sweeper.ts';
import type { OrphanReport } from '../../../src/sweeper/sweeper-events.ts';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { loadRtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { DoomedBot } from '../../support/doomed-bot.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, listRooms, roomExists } from '../../support/room-service.ts';
import { tokenFor } from '../../support/tokens.ts';
import { call, eventually, newTransport, sleep, startBot } from './call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe("a LiveKitTransport's lease", () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer({ config: {} });
  });
  afterAll(() => server.stop());

  async function leaseIn(roomName: string): Promise<string | undefined> {
    const [bot] = await listParticipants(server, roomName);
    return bot?.attributes[leaseAttribute];
  }

  /** Resolves with the lease once it is another than before. */
  function nextLease(roomName: string, before?: string): Promise<string | undefined> {
    return vi.waitFor(
      async () => {
        const lease = await leaseIn(roomName);
        expect(lease).toEqual(expect.any(String));
        expect(lease).not.toBe(before);
        return lease;
      },
      { timeout: 5_000 },
    );
  }

  it('beats from the join on, also between two runs, and not after leaving', async () => {
    const transport = newTransport(server, { leaseBeatMs: 100, deleteRoomOnEnd: false });
    const bot = startBot(server, { transport });
    await bot.started;
    const first = await nextLease(transport.roomName);
    const second = await nextLease(transport.roomName, first);
    bot.says(new StopFrame());
    await bot.result;
    await nextLease(transport.roomName, await nextLease(transport.roomName, second));
    const last = startBot(server, { transport });
    await last.started;
    last.says(new EndFrame());
    await last.result;
    const { LocalParticipant } = await loadRtcNode();
    const set = vi.spyOn(LocalParticipant.prototype, 'setAttributes');
    onTestFinished(() => set.mockRestore());
    await sleep(300);
    expect(set).not.toHaveBeenCalled();
  });

  it('stays away with one warning where the token does not allow it', async () => {
    const warn = vi.fn();
    const token = await tokenFor(server, 'bot', { roomJoin: true, agent: true, room: 'no-lease' });
    const bot = startBot(server, { token, leaseBeatMs: 50, logger: { ...silentLogger, warn } });
    await bot.started;
    await eventually(() => warn.mock.calls.length).toBe(1);
    await bot.transport.setAttributes({ a: 'b' });
    expect(await leaseIn('no-lease')).toBeUndefined();
    bot.says(new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(warn.mock.calls.map(([, message]) => message)).toEqual([
      'the bot has no lease: its token does not let it write its attributes',
    ]);
  });

  it.each([
    ['the agent grant', { agent: true }, 0],
    ['no agent grant', {}, 1],
  ])(
    'is told at the start whether LiveKit closes its room behind the others: %s',
    async (_, grant, times) => {
      const warn = vi.fn();
      const room = `agent-${times}`;
      const rights = { roomJoin: true, canUpdateOwnMetadata: true, room, ...grant };
      const token = await tokenFor(server, 'bot', rights);
      const bot = startBot(server, { token, logger: { ...silentLogger, warn } });
      await bot.started;
      bot.says(new EndFrame());
      await bot.result;
      const warnings = warn.mock.calls.map(([, message]) => message as string);
      expect(warnings.filter((message) => message.includes('takes the bot for a person'))).toHaveLength(
        times,
      );
    },
  );

  it('keeps the room from a sweeper while the bot lives, and not when it was killed', async () => {
    const limits = { pollMs: 1_000, leaseTtlMs: 5_000, graceMs: 5_000 };
    const [living, doomed] = [generateRoomName('lease-'), generateRoomName('lease-')];
    const live = startBot(server, { roomName: living, leaseBeatMs: 300 });
    const bot = new DoomedBot({
      server,
      url: server.url,
      roomName: doomed,
      leaseBeatMs: 300,
      guardian: false,
    });
    onTestFinished(() => bot[Symbol.asyncDispose]());
    await bot.waitFor('started', 45_000);
    await live.started;
    const ada = await call(server, doomed);
    const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.url });
    const sweeper = new Sweeper({ rest, prefix: 'lease-', logger: silentLogger, ...limits });
    onTestFinished(() => sweeper.stop());
    const reaped: OrphanReport[] = [];
    sweeper.on('roomReaped', (report) => reaped.push(report));
    sweeper.start();
    // long enough to have reaped both, if their bots had been silent
    await sleep(2 * limits.leaseTtlMs);
    expect(reaped).toEqual([]);
    bot.kill('SIGKILL');
    const { reason } = await ada.waitFor('disconnected', { timeoutMs: 4 * limits.leaseTtlMs });
    expect(reason).toBe('ROOM_DELETED');
    await eventually(() => reaped).toMatchObject([{ roomName: doomed, reason: 'lease-expired' }]);
    expect(await roomExists(server, doomed)).toBe(false);
    expect(await listRooms(server, living)).toHaveLength(1);
    live.says(new EndFrame());
    await live.result;
  });
});
