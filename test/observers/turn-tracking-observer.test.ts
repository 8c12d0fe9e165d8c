import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelFrame, EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  TurnTrackingObserver,
  type TurnTrackingObserverOptions,
} from '../../src/observers/turn-tracking-observer.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { hopsFor } from './hops.ts';

describe('TurnTrackingObserver', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setup = (options?: TurnTrackingObserverOptions) => {
    const observer = new TurnTrackingObserver(options);
    const told: string[] = [];
    observer.on('turnStarted', (turn) => told.push(`${turn} starts`));
    observer.on('turnEnded', ({ turn, durationMs, wasInterrupted }) =>
      told.push(`${turn} ${wasInterrupted ? 'is cut' : 'ends'} after ${durationMs}`),
    );
    const { sees, passes } = hopsFor(observer, (ms) => vi.advanceTimersByTime(ms));
    return {
      observer,
      told,
      sees,
      passes,
      speaks: (who: 'user' | 'bot', ms: number) => {
        sees(who === 'user' ? new UserStartedSpeakingFrame() : new BotStartedSpeakingFrame());
        passes(ms);
        sees(who === 'user' ? new UserStoppedSpeakingFrame() : new BotStoppedSpeakingFrame());
      },
    };
  };

  it('counts what the user says and the bot answers as one turn', () => {
    const { told, sees, passes, speaks } = setup();
    sees(new StartFrame());
    speaks('user', 100);
    speaks('bot', 200);
    passes(1_000);
    speaks('user', 100);
    speaks('bot', 200);
    passes(3_000);
    expect(told).toEqual(['1 starts', '1 ends after 1300', '2 starts', '2 ends after 300']);
  });

  it('counts what the user says twice before the bot answers as one turn', () => {
    const { told, sees, passes, speaks } = setup();
    sees(new StartFrame());
    speaks('user', 100);
    speaks('user', 100);
    speaks('bot', 200);
    passes(2_500);
    expect(told).toEqual(['1 starts', '1 ends after 400']);
  });

  it('begins a new turn when the user interrupts the bot, and ends it with the run', () => {
    const { told, sees, passes } = setup();
    sees(new StartFrame());
    sees(new BotStartedSpeakingFrame());
    passes(50);
    sees(new UserStartedSpeakingFrame());
    passes(10);
    sees(new BotStoppedSpeakingFrame());
    passes(5_000);
    sees(new EndFrame());
    expect(told).toEqual(['1 starts', '1 is cut after 50', '2 starts', '2 is cut after 5010']);
  });

  it('counts an answer with pauses as one turn', () => {
    const { told, sees, passes, speaks } = setup();
    sees(new StartFrame());
    speaks('user', 100);
    for (let piece = 0; piece < 3; piece += 1) {
      speaks('bot', 100);
      passes(2_499);
    }
    expect(told).toEqual(['1 starts']);
    passes(1);
    expect(told.slice(1)).toEqual(['1 ends after 5398']);
  });

  it.each([new CancelFrame(), new EndFrame(), new StopFrame()])('ends the turn with a %s', (frame) => {
    const { told, sees, passes, speaks } = setup();
    sees(new StartFrame());
    speaks('bot', 100);
    passes(100);
    sees(frame);
    expect(told).toEqual(['1 starts', '1 is cut after 200']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has nothing to end where no turn is under way', () => {
    const { told, sees, passes, speaks } = setup();
    sees(new StartFrame());
    speaks('bot', 100);
    passes(2_500);
    sees(new EndFrame());
    expect(told).toEqual(['1 starts', '1 ends after 100']);
  });

  it('begins the next turn when the user speaks after the last one is over', () => {
    const { told, sees, passes, speaks } = setup({ turnEndTimeoutMs: 100 });
    sees(new StartFrame());
    speaks('bot', 100);
    passes(100);
    expect(told).toEqual(['1 starts', '1 ends after 100']);
    passes(500);
    sees(new UserStartedSpeakingFrame());
    expect(told.slice(2)).toEqual(['2 starts']);
  });

  it('is not confused by a thousand other frames between two hops', () => {
    const { told, sees } = setup();
    const start = new StartFrame();
    sees(start);
    for (let count = 0; count < 1_000; count += 1) sees(new TextFrame('a'));
    sees(start);
    expect(told).toEqual(['1 starts']);
  });

  it('ends the turn of a run that failed, and leaves no timer behind', () => {
    const { observer, told, sees, speaks } = setup();
    sees(new StartFrame());
    speaks('bot', 100);
    observer.cleanup();
    expect(told).toEqual(['1 starts', '1 is cut after 100']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a timeout of %s', (turnEndTimeoutMs) => {
    expect(() => new TurnTrackingObserver({ turnEndTimeoutMs })).toThrow(InvalidOptionError);
  });

  it('follows a run', async () => {
    vi.useRealTimers();
    const { observer, told } = setup();
    const task = new PipelineTask(new IdentityFilter(), { logger: silentLogger, observers: [observer] });
    task.queueFrames([
      new UserStartedSpeakingFrame(),
      new BotStartedSpeakingFrame(),
      new UserStartedSpeakingFrame(),
    ]);
    task.stopWhenDone();
    await task.run();
    expect(told.map((line) => line.replace(/ after .*/, ''))).toEqual([
      '1 starts',
      '1 is cut',
      '2 starts',
      '2 is cut',
    ]);
  });
});
