import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HeartbeatFrame } from '../../src/frames/probes.ts';
import { Heartbeat, type HeartbeatOptions } from '../../src/pipeline/heartbeat.ts';

describe('Heartbeat', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setup = (options: HeartbeatOptions = {}) => {
    const sent: HeartbeatFrame[] = [];
    const timeouts: number[] = [];
    const heartbeat = new Heartbeat(
      options,
      (frame) => sent.push(frame),
      (timeoutMs) => timeouts.push(timeoutMs),
    );
    heartbeat.start();
    return { heartbeat, sent, timeouts };
  };

  it('sends one at once, then one a second', () => {
    const { sent } = setup();
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(3_000);
    expect(sent).toHaveLength(4);
    const times = sent.map(({ timestamp }) => timestamp);
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('tells when none has come out for 10 seconds, again and again', () => {
    const { timeouts } = setup();
    vi.advanceTimersByTime(9_999);
    expect(timeouts).toEqual([]);
    vi.advanceTimersByTime(20_001);
    expect(timeouts).toEqual([10_000, 10_000, 10_000]);
  });

  it('says nothing while they come out', () => {
    const { heartbeat, timeouts } = setup({ periodMs: 100, timeoutMs: 250 });
    for (let beat = 0; beat < 50; beat += 1) {
      vi.advanceTimersByTime(200);
      heartbeat.received();
    }
    expect(timeouts).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(timeouts).toEqual([250]);
  });

  it('leaves nothing behind when it stops', () => {
    const { heartbeat, sent, timeouts } = setup();
    heartbeat.stop();
    heartbeat.received();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect([sent.length, timeouts.length]).toEqual([1, 0]);
  });
});
