import { describe, expect, it } from 'vitest';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import type { ListedParticipant, ListedRoom } from '../../src/rooms/rest/room-rest.ts';
import {
  type Observation,
  type ObservationOptions,
  observe,
  observeFailure,
} from '../../src/sweeper/observation.ts';
import { decideOrphan, type OrphanPolicyOptions } from '../../src/sweeper/orphan-policy.ts';
import { listedParticipant } from '../support/listed-participant.ts';

const hour = 3_600_000;
const policy: OrphanPolicyOptions = {
  prefix: 'agents-',
  marker: 'required',
  metadataKey: 'endframe',
  leaseTtlMs: 30_000,
  graceMs: 60_000,
  maxSessionMs: 4 * hour,
  serverTimeMs: 10 * hour,
};
const room: ListedRoom = {
  name: 'agents-1',
  sid: 'RM_1',
  creationTimeMs: 9 * hour,
  metadata: '{"endframe":true}',
};
const looking: ObservationOptions = { isBot: ({ isAgent }) => isAgent, pollMs: 5_000 };

const human = listedParticipant('ada');
const agent = listedParticipant('pipecat', { isAgent: true });
const bot = (lease: string): ListedParticipant =>
  listedParticipant('bot', { isAgent: true, attributes: { [leaseAttribute]: lease } });

/** A room that is looked at every five seconds, and what is decided each time. */
function watch(options: Partial<OrphanPolicyOptions> = {}, observing: Partial<ObservationOptions> = {}) {
  let before: Observation | undefined;
  let nowMs = 1_000;
  const look = (...participants: readonly ListedParticipant[]): string => {
    const one = { room, participants, askedMs: nowMs, answeredMs: nowMs };
    before = observe(before, one, { ...looking, ...observing });
    before = { ...before, dueMs: nowMs + 5_000 };
    return decideOrphan(room, participants, before, nowMs, { ...policy, ...options }).reason;
  };
  return {
    look,
    waits: (ms: number) => {
      nowMs += ms;
    },
    /** Looks every five seconds for so long; gives the reasons without repetitions. */
    looksFor: (ms: number, ...participants: readonly ListedParticipant[]): string[] => {
      const reasons: string[] = [];
      for (const until = nowMs + ms; nowMs < until; nowMs += 5_000) reasons.push(look(...participants));
      return reasons.filter((reason, index) => reason !== reasons[index - 1]);
    },
    get silentSinceMs() {
      return before?.silentSinceMs;
    },
  };
}

describe('decideOrphan', () => {
  it.each([
    ['foreign-1', '{"endframe":true}', 'required', 'not-ours'],
    ['AGENTS-1', '{"endframe":true}', 'required', 'not-ours'],
    ['agents-1', '', 'required', 'marker-missing'],
    ['agents-1', 'endframe', 'required', 'marker-missing'],
    ['agents-1', '{"endframe"', 'required', 'marker-missing'],
    ['agents-1', '["endframe"]', 'required', 'marker-missing'],
    ['agents-1', '{"endframe":false}', 'required', 'marker-missing'],
    ['agents-1', '{"other":{"endframe":true}}', 'required', 'marker-missing'],
    [`agents-${'0'.repeat(32)}`, '', 'required', 'marker-missing'],
    ['agents-1', '{"endframe":true}', 'required', 'bot-gone'],
    ['agents-1', '{"endframe":{"since":1}}', 'required', 'bot-gone'],
    [`agents-endframe-${'0'.repeat(32)}`, '', 'required', 'bot-gone'],
    ['agents-1', '', 'prefix-only', 'bot-gone'],
    ['foreign-1', '', 'prefix-only', 'not-ours'],
  ] as const)('takes %s with metadata %j, marker %s, for %s', (name, metadata, marker, reason) => {
    const silent: Observation = {
      sid: room.sid,
      creationTimeMs: room.creationTimeMs,
      probedMs: 99_000,
      dueMs: 99_000,
      silentSinceMs: 0,
      silentProbes: 9,
      leases: {},
      failedReaps: 0,
    };
    const decision = decideOrphan({ ...room, name, metadata }, [], silent, 99_000, { ...policy, marker });
    expect(decision.reason).toBe(reason);
  });

  it('owns nothing by an empty prefix, marker or not', () => {
    const seen = observe(undefined, { room, participants: [], askedMs: 0, answeredMs: 0 }, looking);
    const long = { ...seen, silentProbes: 9 };
    expect(decideOrphan(room, [], long, 99_000, { ...policy, prefix: '' }).action).toBe('keep');
  });

  it('deletes when a lease has not changed for its time', () => {
    const { looksFor } = watch();
    expect(looksFor(30_000, bot('a.1'), human)).toEqual(['watching']);
    expect(looksFor(5_000, bot('a.1'), human)).toEqual(['lease-expired']);
  });

  it('keeps as long as the lease changes, whatever it is', () => {
    const { look, waits } = watch();
    look(bot('a.1'));
    for (const lease of ['a.2', 'a.1', 'garbage', 'b.0', '🤖']) {
      waits(5_000);
      expect(look(bot(lease))).toBe('bot-alive');
    }
  });

  it('starts the time again with every sign of life', () => {
    const { looksFor, look } = watch();
    looksFor(25_000, bot('a.1'));
    expect(look(bot('a.2'))).toBe('bot-alive');
    expect(looksFor(30_000, bot('a.2'))).toEqual(['watching']);
    expect(look(bot('a.2'))).toBe('lease-expired');
  });

  it('counts a bot that vanishes in the middle of its silence on', () => {
    const { looksFor } = watch();
    looksFor(20_000, bot('a.1'), human);
    expect(looksFor(15_000, human)).toEqual(['watching', 'bot-gone']);
  });

  it('gives a bot the grace that was seen alive just before it was gone', () => {
    const { looksFor, look, waits } = watch();
    look(bot('a.1'));
    waits(5_000);
    look(bot('a.2'));
    waits(5_000);
    expect(looksFor(30_000, human)).toEqual(['watching']);
    expect(look(human)).toBe('bot-gone');
  });

  it('keeps a bot that restarts within the time, whatever its identity', () => {
    const { looksFor, look } = watch();
    looksFor(10_000, bot('a.1'));
    looksFor(15_000, human);
    const restarted = { ...bot('b.0'), identity: 'bot-2' };
    expect(look(restarted, human)).toBe('bot-alive');
  });

  it('does not take a dead bot that is listed again for a live one', () => {
    const { looksFor } = watch();
    looksFor(10_000, bot('a.1'));
    looksFor(10_000);
    expect(looksFor(15_000, bot('a.1'))).toEqual(['watching', 'lease-expired']);
  });

  it('keeps a bot without a lease while it is present, and deletes after the grace', () => {
    const { looksFor } = watch();
    expect(looksFor(300_000, agent, human)).toEqual(['bot-alive']);
    expect(looksFor(60_000, human)).toEqual(['watching']);
    expect(looksFor(5_000, human)).toEqual(['bot-gone']);
  });

  it('asks isBot about those without a lease', () => {
    const { looksFor } = watch({}, { isBot: ({ identity }) => identity.startsWith('py-') });
    expect(looksFor(300_000, listedParticipant('py-1'))).toEqual(['bot-alive']);
    expect(looksFor(65_000, agent)).toEqual(['watching', 'bot-gone']);
  });

  it('keeps while one of several bots lives', () => {
    const { looksFor } = watch();
    expect(looksFor(100_000, bot('dead.1'), agent)).toEqual(['bot-alive']);
  });

  it('takes no human, and nobody who has left, for a bot', () => {
    const { looksFor } = watch();
    const left = { ...agent, state: 'DISCONNECTED' };
    expect(looksFor(65_000, human, left)).toEqual(['watching', 'bot-gone']);
  });

  it('wants three silent looks, however far apart they are', () => {
    const { look, waits } = watch({ leaseTtlMs: 8_000 });
    look(bot('a.1'));
    waits(9_000);
    expect(look(bot('a.1'))).toBe('watching');
    waits(5_000);
    expect(look(bot('a.1'))).toBe('lease-expired');
  });

  it.each([
    ['after a gap in its looks', { waits: 15_001 }],
    ['when its clock goes back', { waits: -5_001 }],
  ])('starts again %s', (_title, { waits: ms }) => {
    const { looksFor, look, waits } = watch();
    looksFor(25_000, bot('a.1'));
    waits(ms);
    expect(look(bot('a.1'))).toBe('watching');
    waits(5_000);
    expect(looksFor(25_000, bot('a.1'))).toEqual(['watching']);
    expect(look(bot('a.1'))).toBe('lease-expired');
  });

  it('starts again for another room of the same name', () => {
    const seen = observe(undefined, { room, participants: [], askedMs: 0, answeredMs: 0 }, looking);
    for (const other of [
      { ...room, sid: 'RM_2' },
      { ...room, creationTimeMs: room.creationTimeMs + 1 },
    ]) {
      const again = observe(seen, { room: other, participants: [], askedMs: 5, answeredMs: 6 }, looking);
      expect(again).toMatchObject({ silentSinceMs: 6, silentProbes: 1 });
    }
  });

  it('starts again with a look that took longer than a poll: somebody was frozen', () => {
    const look = (askedMs: number, answeredMs: number) => ({ room, participants: [], askedMs, answeredMs });
    const seen = observe(undefined, look(1_000, 1_000), looking);
    expect(observe(seen, look(2_000, 7_000), looking).silentSinceMs).toBe(1_000);
    expect(observe(seen, look(2_000, 7_001), looking).silentSinceMs).toBe(7_001);
  });

  describe('after a failure', () => {
    const answered = (atMs: number, ...participants: readonly ListedParticipant[]) => ({
      room,
      participants,
      askedMs: atMs - 1,
      answeredMs: atMs,
    });
    const all = { ...looking, carryOverMs: 60_000 };
    /** Looks at 1 s and 6 s that see the same lease: 5 s of silence. */
    function silent(options = all): Observation {
      const first = { ...observe(undefined, answered(1_000, bot('a.1')), options), dueMs: 6_000 };
      return { ...observe(first, answered(6_000, bot('a.1')), options), dueMs: 11_000 };
    }

    it('counts the time between the looks around it not at all, and that before it', () => {
      const failed = { ...observeFailure(silent(), 11_000), dueMs: 16_000 };
      const seen = observe(failed, answered(16_000, bot('a.1')), all);
      expect(seen).toMatchObject({ silentSinceMs: 11_000, silentProbes: 2, leases: { bot: 'a.1' } });
      expect(seen.failedMs).toBeUndefined();
    });

    it.each([
      ['before both looks', 5_999, 1_000],
      ['between the looks', 6_000, 6_000],
      ['at a time that is still to come, by a clock that was set back', 12_000, 1_000],
    ])('of a list %s, the same', (_title, lastGapMs, silentSinceMs) => {
      const seen = observe(silent(), answered(11_000, bot('a.1')), { ...all, lastGapMs });
      expect(seen.silentSinceMs).toBe(silentSinceMs);
    });

    it('carries no more of the silence over than it may', () => {
      const failed = { ...observeFailure(silent(), 11_000), dueMs: 16_000 };
      const carried = (carryOverMs: number) =>
        observe(failed, answered(16_000, bot('a.1')), { ...looking, carryOverMs }).silentSinceMs;
      expect([carried(3_000), carried(0)]).toEqual([13_000, 16_000]);
      expect(observe(failed, answered(16_000, bot('a.1')), looking).silentSinceMs).toBe(16_000);
    });

    it('takes a lease that changed for a sign of life', () => {
      const failed = { ...observeFailure(silent(), 11_000), dueMs: 16_000 };
      expect(observe(failed, answered(16_000, bot('a.2')), all).silentSinceMs).toBeUndefined();
    });

    it('begins a silence of a bot that was alive before with the look after it', () => {
      const alive = { ...observe(silent(), answered(7_000, bot('a.2')), all), dueMs: 12_000 };
      const failed = { ...observeFailure(alive, 12_000), dueMs: 17_000 };
      const seen = observe(failed, answered(17_000, bot('a.2')), all);
      expect(seen).toMatchObject({ silentSinceMs: 17_000, silentProbes: 1 });
    });

    it('starts from nothing after a gap, and where nothing was known', () => {
      const once = { ...observeFailure(silent(), 11_000), dueMs: 16_000 };
      const twice = { ...observeFailure(once, 16_000), dueMs: 21_000 };
      const seen = (atMs: number) => observe(twice, answered(atMs, bot('a.1')), all).silentSinceMs;
      expect([seen(31_001), seen(31_002)]).toEqual([26_001, 31_002]);
      const never = { ...observeFailure(undefined, 1_000), dueMs: 6_000 };
      const fresh = observe(undefined, answered(6_000, bot('a.1')), all);
      expect(observe(never, answered(6_000, bot('a.1')), all)).toEqual(fresh);
    });
  });

  it('deletes a room that is too old by the clock of the server, with everybody in it', () => {
    const { look } = watch({ serverTimeMs: room.creationTimeMs + 4 * hour + 1 });
    expect(look(agent, human)).toBe('too-old');
  });

  it.each([
    ['exactly as old as it may be', { serverTimeMs: room.creationTimeMs + 4 * hour }],
    ['of an unknown age', { serverTimeMs: undefined }],
    ['in a world without an end', { serverTimeMs: 1_000 * hour, maxSessionMs: null }],
  ])('keeps a room %s', (_title, options) => {
    expect(watch(options).look(agent)).toBe('bot-alive');
  });

  it('remembers a bounded number of leases', () => {
    const { look, waits } = watch();
    let last: Observation | undefined;
    for (let index = 0; index < 100; index += 1) {
      const one = { ...bot(`x.${index}`), identity: `bot-${index}` };
      last = observe(last, { room, participants: [one], askedMs: index, answeredMs: index }, looking);
      waits(1);
      look(one);
    }
    expect(Object.keys(last?.leases ?? {})).toHaveLength(32);
  });

  it('remembers what can be written as JSON', () => {
    const seen = observe(undefined, { room, participants: [bot('a.1')], askedMs: 0, answeredMs: 1 }, looking);
    expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
  });
});
