import { describe, expect, it } from 'vitest';
import { ServerClock } from '../../src/sweeper/server-clock.ts';

function setup() {
  let steadyMs = 500;
  let calendarMs = Date.parse('2026-11-24T12:00:00Z');
  const clock = new ServerClock(
    () => steadyMs,
    () => calendarMs,
  );
  return {
    clock,
    waits: (ms: number) => {
      steadyMs += ms;
      calendarMs += ms;
    },
    calendarIsOffBy: (ms: number) => {
      calendarMs += ms;
    },
    now: () => new Date(clock.nowMs() ?? Number.NaN).toISOString(),
  };
}

describe('ServerClock', () => {
  it('knows nothing at first, and nothing from what is no date', () => {
    const { clock } = setup();
    clock.heard(null);
    clock.heard('soon');
    clock.saw([]);
    expect(clock.nowMs()).toBeUndefined();
  });

  it('is at least at the creation of the newest room, and goes on from there', () => {
    const { clock, waits, now } = setup();
    clock.saw([{ creationTimeMs: Date.parse('2026-11-24T09:00:00Z') }]);
    waits(60_000);
    clock.saw([{ creationTimeMs: Date.parse('2026-11-24T08:59:00Z') }]);
    expect(now()).toBe('2026-11-24T09:01:00.000Z');
  });

  it('believes the date of an answer as far as the calendar agrees', () => {
    const { clock, waits, calendarIsOffBy, now } = setup();
    clock.heard('Tue, 24 Nov 2026 11:59:58 GMT');
    expect(now()).toBe('2026-11-24T11:59:58.000Z');
    calendarIsOffBy(-3_600_000);
    expect(now()).toBe('2026-11-24T11:00:00.000Z');
    calendarIsOffBy(99 * 3_600_000);
    waits(2_000);
    expect(now()).toBe('2026-11-24T12:00:00.000Z');
  });

  it('does not follow a proxy into the future', () => {
    const { clock, now } = setup();
    clock.heard('Tue, 24 Nov 2099 00:00:00 GMT');
    expect(now()).toBe('2026-11-24T12:00:00.000Z');
  });

  it('believes no room that was created in the future', () => {
    const { clock, now } = setup();
    clock.saw([{ creationTimeMs: Date.parse('2026-11-25T09:00:00Z') }]);
    expect(now()).toBe('2026-11-24T12:00:00.000Z');
    clock.heard('Tue, 24 Nov 2026 11:59:58 GMT');
    expect(now()).toBe('2026-11-24T11:59:58.000Z');
  });
});
