import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BotSpeakingFrame, BotStartedSpeakingFrame, UserSpeakingFrame } from '../../src/frames/speaking.ts';
import { IdleTimer } from '../../src/pipeline/idle-timer.ts';

describe('IdleTimer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setup = () => {
    const idle = vi.fn();
    const timer = new IdleTimer([BotSpeakingFrame, UserSpeakingFrame], 1_000, idle);
    timer.start();
    return { timer, idle };
  };

  it('tells when nobody has spoken for so long', () => {
    const { idle } = setup();
    vi.advanceTimersByTime(999);
    expect(idle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(idle).toHaveBeenCalledOnce();
  });

  it.each([new BotSpeakingFrame(), new UserSpeakingFrame()])('waits on after a %s', (frame) => {
    const { timer, idle } = setup();
    vi.advanceTimersByTime(600);
    timer.onFrame(frame);
    vi.advanceTimersByTime(900);
    expect(idle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(idle).toHaveBeenCalledOnce();
  });

  it('takes no notice of frames of other classes', () => {
    const { timer, idle } = setup();
    vi.advanceTimersByTime(600);
    timer.onFrame(new BotStartedSpeakingFrame());
    vi.advanceTimersByTime(400);
    expect(idle).toHaveBeenCalledOnce();
  });

  it('tells again as long as it lasts', () => {
    const { idle } = setup();
    vi.advanceTimersByTime(3_000);
    expect(idle).toHaveBeenCalledTimes(3);
  });

  it('has one timer, however often somebody speaks', () => {
    const { timer } = setup();
    for (let spoken = 0; spoken < 100; spoken += 1) {
      timer.onFrame(new BotSpeakingFrame());
      vi.advanceTimersByTime(7);
      expect(vi.getTimerCount()).toBe(1);
    }
  });

  it('leaves nothing behind when it stops', () => {
    const { timer, idle } = setup();
    timer.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(idle).not.toHaveBeenCalled();
  });
});
