/** Whatever breaks, in whatever order: rooms go in time, and no others. Random and long runs: `npm run chaos`. */

import { describe, expect, it } from 'vitest';
import { runChaos } from '../support/chaos.ts';
import { type ChaosHistory, type SessionHistory, violations } from '../support/chaos-check.ts';
import { planChaos } from '../support/chaos-schedule.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';

const describeWithServer = await describeWith('livekit-server', '@livekit/rtc-node');
const lengthMs = 10_000;

describeWithServer('a random fault run', () => {
  it('keeps every promise', async () => {
    // always the same: bots that are killed, asked to go, lost with their guardian and frozen, while LiveKit freezes,
    // sweepers are cut off, one is killed, and two humans come back
    const seed = 25;
    const { broken, sessions } = await runChaos(seed, lengthMs, { slackMs: promised(2_000, 20_000) });
    expect(broken, `npm run chaos -- --seeds=1 --seconds=10 --seed=${seed}`).toEqual([]);
    expect(sessions.length).toBeGreaterThan(3);
  });
});

describe('planChaos', () => {
  it('makes the same plan of the same seed, and another of another', () => {
    expect(planChaos(7, lengthMs)).toEqual(planChaos(7, lengthMs));
    expect(planChaos(7, lengthMs)).not.toEqual(planChaos(8, lengthMs));
  });

  it('has everything in it, sooner or later', () => {
    const plans = Array.from({ length: 50 }, (_, seed) => planChaos(seed, 30_000));
    const sessions = plans.flatMap((plan) => plan.sessions);
    expect(new Set(sessions.map(({ end }) => end)).size).toBe(6);
    expect(new Set(sessions.map(({ suffers }) => suffers)).size).toBe(3);
    expect(sessions.some(({ rejoins }) => rejoins)).toBe(true);
    const disturbances = plans.flatMap((plan) => plan.disturbances);
    expect(new Set(disturbances.map(({ what }) => what)).size).toBe(7);
  });
});

describe('violations', () => {
  const outcome = { status: 'deleted', roomName: 'a', trigger: 'end', attempts: 1, elapsedMs: 5 } as const;
  const ended: SessionHistory = {
    roomName: 'a',
    sid: 'RM_1',
    startedAt: 1_000,
    end: 'end',
    endedAt: 5_000,
    guarded: true,
    rejoinedAt: undefined,
    outcomes: [outcome],
    exit: { code: 0, signal: null },
  };
  const killed: SessionHistory = {
    ...ended,
    end: 'SIGKILL',
    outcomes: [],
    exit: { code: null, signal: 'SIGKILL' },
  };
  const listing = (at: number, rooms: Record<string, string>) => ({
    askedAt: at,
    answeredAt: at + 10,
    rooms: new Map(Object.entries({ other: 'RM_9', ...rooms })),
  });
  const good: ChaosHistory = {
    sessions: [ended],
    bystanders: [{ name: 'other', sid: 'RM_9', since: 0 }],
    disturbances: [],
    listings: [listing(2_000, { a: 'RM_1' }), listing(5_500, { a: 'RM_1' }), listing(9_000, {})],
    finished: [{ name: 'a', sid: 'RM_1', at: 5_200 }],
    output: 'nothing of note',
  };
  const check = (changes: Partial<ChaosHistory>, session: Partial<SessionHistory> = {}) => {
    const sessions = [{ ...ended, ...session }];
    const limits = { fastMs: 1_000, heartbeatMs: 4_000, slowMs: 10_000 };
    return violations({ ...good, sessions, ...changes }, limits, ['hush']).map((line) => line[0]);
  };

  it('finds nothing in a good history', () => {
    expect(check({})).toEqual([]);
    expect(check({ sessions: [killed] })).toEqual([]);
  });

  const late = { listings: [listing(2_000, { a: 'RM_1' }), listing(9_000, { a: 'RM_1' })] };
  it('finds a room that outlives its bot, unless something was in the way', () => {
    expect(check(late)).toEqual(['1']);
    expect(check(late, { guarded: false })).toEqual([]);
    expect(check(late, { rejoinedAt: 5_100 })).toEqual([]);
    expect(check({ ...late, disturbances: [{ what: 'cut', fromMs: 4_000, toMs: 5_100 }] })).toEqual([]);
    expect(check({ ...late, disturbances: [{ what: 'cut', fromMs: 4_000, toMs: 4_900 }] })).toEqual(['1']);
    expect(check({ ...late, disturbances: [{ what: 'cut', fromMs: 6_500, toMs: 7_000 }] })).toEqual(['1']);
  });

  it('lets what happens to all sweepers excuse only rooms that they alone can find', () => {
    const disturbed = { ...late, disturbances: [{ what: 'sweepers killed', fromMs: 4_000, toMs: 5_100 }] };
    expect(check(disturbed)).toEqual(['1']);
    expect(check({ ...disturbed, listings: [listing(15_050, { a: 'RM_1' })] }, { guarded: false })).toEqual(
      [],
    );
    expect(check({ ...disturbed, listings: [listing(15_150, { a: 'RM_1' })] }, { guarded: false })).toEqual([
      '1',
    ]);
  });

  it('lets what happens to one sweeper excuse nothing', () => {
    const disturbances = [{ what: 'one sweeper killed', fromMs: 4_000, toMs: 5_100 }];
    const listings = [listing(15_050, { a: 'RM_1' })];
    expect(check({ disturbances, listings }, { guarded: false })).toEqual(['1']);
  });

  it('gives a stuck bot its heartbeat limit, and not more', () => {
    const at = (ms: number) => ({ listings: [listing(ms, { a: 'RM_1' })], finished: [] });
    expect(check(at(9_900), { end: 'frozen' })).toEqual([]);
    expect(check(at(10_100), { end: 'frozen' })).toEqual(['1']);
  });

  it.each<[string, Partial<ChaosHistory>]>([
    ['is not listed', { listings: [listing(2_000, {})] }],
    ['is listed as another', { listings: [listing(2_000, { a: 'RM_2' })] }],
    ['is over, by webhook', { finished: [{ name: 'a', sid: 'RM_1', at: 3_000 }] }],
  ])('finds that the room of a living bot %s', (_, changes) => {
    expect(check(changes)).toEqual(['2']);
  });

  it.each<[string, Partial<ChaosHistory>]>([
    ['not listed', { listings: [{ askedAt: 1_500, answeredAt: 1_600, rooms: new Map([['a', 'RM_1']]) }] }],
    ['over, by webhook', { finished: [{ name: 'other', sid: 'RM_9', at: 8_000 }] }],
  ])("finds that somebody else's room is %s", (_, changes) => {
    expect(check(changes)).toEqual(['3']);
  });

  it('finds outcomes that are missing or too many, and wrong exit codes', () => {
    expect(check({}, { outcomes: [] })).toEqual(['4']);
    expect(check({}, { outcomes: [outcome, outcome] })).toEqual(['4']);
    expect(check({}, { exit: undefined })).toEqual(['5']);
    expect(check({}, { exit: { code: 1, signal: null } })).toEqual(['5']);
    expect(check({}, { outcomes: [{ ...outcome, status: 'handed-over' }] })).toEqual(['5']);
    const handedOver = { outcomes: [{ ...outcome, status: 'handed-over' as const }] };
    expect(check({}, { ...handedOver, exit: { code: 3, signal: null } })).toEqual([]);
    expect(check({ sessions: [{ ...killed, exit: { code: 0, signal: null } }] })).toEqual(['5']);
  });

  it('finds secrets and tokens', () => {
    expect(check({ output: 'the word is hush' })).toEqual(['6']);
    expect(check({ output: `got eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrZXkifQ.x` })).toEqual(['6']);
  });
});
