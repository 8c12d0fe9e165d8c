import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { GuardedRoomWatch } from '../../src/rooms/guarded-room-watch.ts';
import type { FromGuardian, GuardedRoom } from '../../src/rooms/guardian-messages.ts';
import type { ListedParticipant } from '../../src/rooms/room-rest.ts';
import { listedParticipant } from '../support/listed-participant.ts';

const away = new LiveKitRESTError('room', { kind: 'network', retryable: true });
const ada = listedParticipant('ada');

const guarded: GuardedRoom = {
  roomName: 'room',
  room: { owned: true },
  credentials: { apiKey: 'k', apiSecret: 's', baseUrl: 'http://127.0.0.1:9', attemptTimeoutMs: 1_000 },
  deleteWhen: 'always',
  ownIdentity: 'bot',
  verify: false,
  heartbeatMs: 4_000,
};

describe('GuardedRoomWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setup(options: Partial<GuardedRoom> = {}) {
    const livekit = { isAway: false, inside: [] as ListedParticipant[], deletions: 0 };
    const told: FromGuardian[] = [];
    const rest = {
      deleteRoomByName: async (): Promise<true> => {
        if (livekit.isAway) throw away;
        livekit.deletions += 1;
        return true;
      },
      listParticipants: async () => livekit.inside,
    };
    const watch = new GuardedRoomWatch(
      1,
      { ...guarded, ...options },
      { rest, tell: (message) => told.push(message), giveUpMs: 600_000 },
    );
    const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
    return { watch, livekit, told, passes };
  }

  it('deletes the room of a bot that is silent for as long as it may be', async () => {
    const { watch, livekit, told, passes } = setup();
    watch.botIsSilent(3_999);
    await passes();
    expect(livekit.deletions).toBe(0);
    watch.botIsSilent(4_000);
    await passes();
    expect(livekit.deletions).toBe(1);
    expect(told).toEqual([
      { type: 'settled', id: 1, status: 'deleted', cause: 'stuck' },
      { type: 'finished', id: 1 },
    ]);
  });

  it('counts no silence where silence means nothing, but an end', async () => {
    const { watch, livekit, passes } = setup({ heartbeatMs: null });
    watch.botIsSilent(1e9);
    await passes();
    expect(livekit.deletions).toBe(0);
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('spares a bot that moves again before LiveKit is back, and watches it on', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(2_000);
    watch.botIsAlive();
    livekit.isAway = false;
    await passes(60_000);
    expect([livekit.deletions, told]).toEqual([0, []]);
    watch.botIsSilent(5_000);
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('does not spare a bot that moved again and then died', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(2_000);
    watch.botIsAlive();
    watch.takeOver('bot-gone');
    livekit.isAway = false;
    await passes(60_000);
    expect(livekit.deletions).toBe(1);
    expect(told).toEqual([{ type: 'finished', id: 1 }]);
  });

  it('goes on with what was handed over, also when the bot is silent for a while', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.takeOver('taken-over');
    await passes(1_000);
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    livekit.isAway = false;
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
    expect(told[0]).toEqual({ type: 'settled', id: 1, status: 'deleted', cause: 'taken-over' });
  });

  it('leaves a room alone that the bot has decided to keep before it ended', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    watch.forget();
    watch.takeOver('bot-gone');
    livekit.isAway = false;
    await passes(60_000);
    expect(livekit.deletions).toBe(0);
    expect(told).toEqual([{ type: 'finished', id: 1 }]);
  });

  it('does not finish a long pause when the bot dies in it', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    await passes(1_000);
    livekit.inside = [];
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('does not take the dead bot itself for somebody inside, also when it was stuck before', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.botIsSilent(5_000);
    await passes(10_000);
    // killed: LiveKit lists it for 20 s more
    watch.takeOver('bot-gone');
    watch.botIsSilent(20_000);
    await passes(20_000);
    expect(livekit.deletions).toBe(0);
    livekit.inside = [];
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
  });

  it('is not hurried by more silence when the bot is dead', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.takeOver('bot-gone');
    await passes(4_000);
    watch.botIsSilent(4_000);
    await passes(16_000);
    livekit.inside = [];
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
  });

  it('asks once for each silence', async () => {
    const { watch, livekit, told, passes } = setup({ deleteWhen: 'no-humans-left' });
    livekit.inside = [ada];
    for (let silentMs = 4_000; silentMs < 10_000; silentMs += 250) {
      watch.botIsSilent(silentMs);
      await passes(250);
    }
    expect(told).toEqual([{ type: 'settled', id: 1, status: 'kept', cause: 'stuck' }]);
    watch.botIsAlive();
    watch.botIsSilent(4_000);
    await passes();
    expect(told).toHaveLength(2);
  });

  it('watches on over a bot that was stuck and whose room was kept', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left' });
    livekit.inside = [ada];
    watch.botIsSilent(4_000);
    await passes();
    livekit.inside = [];
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it.each(['look', 'forget'] as const)(
    'obeys "%s" that came while it took the bot for dead',
    async (order) => {
      const { watch, livekit, told, passes } = setup();
      livekit.isAway = true;
      watch.botIsSilent(4_000);
      await passes();
      watch.botIsAlive();
      watch[order]();
      livekit.isAway = false;
      await passes(60_000);
      expect(livekit.deletions).toBe(0);
      expect(told).toEqual([{ type: 'finished', id: 1 }]);
    },
  );
});
