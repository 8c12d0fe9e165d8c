import { describe, expect, it } from 'vitest';
import { HeartbeatMonitor } from '../../../src/rooms/guardian/heartbeat-monitor.ts';

/** Looks every 500 ms from one time to another, and tells what the last look said. */
function look(watch: HeartbeatMonitor, fromMs: number, untilMs: number): number {
  let silentMs = 0;
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 500) silentMs = watch.silentMs(nowMs, 1_500);
  return silentMs;
}

describe('HeartbeatMonitor', () => {
  it('counts from the beginning', () => {
    expect(look(new HeartbeatMonitor(0), 500, 4_000)).toBe(4_000);
  });

  it('counts from the last beat', () => {
    const watch = new HeartbeatMonitor(0);
    look(watch, 500, 3_000);
    watch.beat(3_200);
    expect(look(watch, 3_500, 5_000)).toBe(1_800);
  });

  it('counts anew after it was frozen itself', () => {
    const watch = new HeartbeatMonitor(0);
    look(watch, 500, 2_000);
    expect(look(watch, 62_000, 62_000)).toBe(0);
    expect(look(watch, 62_500, 66_000)).toBe(4_000);
  });

  it('does not take a late look for a freeze', () => {
    const watch = new HeartbeatMonitor(0);
    expect(look(watch, 1_500, 1_500)).toBe(1_500);
    expect(look(watch, 1_501 + 1_500, 4_000)).toBe(500);
  });
});
