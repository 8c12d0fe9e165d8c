import { describe, expect, it } from 'vitest';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
} from '../../src/frames/function-calls.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { MetricsFrame } from '../../src/frames/metrics.ts';
import { ClientConnectedFrame } from '../../src/frames/participants.ts';
import {
  BotStartedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  chronologicalEvents,
  type LatencyBreakdown,
  UserBotLatencyObserver,
} from '../../src/observers/user-bot-latency-observer.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { sleep, useVirtualTime } from '../support/fake-time.ts';
import { hopsFor } from './hops.ts';

const weather = { functionName: 'get_weather', toolCallId: 'call-1', arguments: {} };

function setup() {
  const observer = new UserBotLatencyObserver();
  const latencies: number[] = [];
  const firstSpeeches: number[] = [];
  const breakdowns: LatencyBreakdown[] = [];
  const order: string[] = [];
  observer.on('latencyMeasured', (ms) => latencies.push(ms));
  observer.on('firstBotSpeechMeasured', (ms) => firstSpeeches.push(ms));
  observer.on('latencyBrokenDown', (breakdown) => breakdowns.push(breakdown));
  for (const event of ['latencyMeasured', 'firstBotSpeechMeasured', 'latencyBrokenDown'] as const) {
    observer.on(event, () => order.push(event));
  }
  const hops = hopsFor(observer);
  const ttfb = (processor: string, valueMs: number): void => {
    hops.sees(new MetricsFrame([{ kind: 'ttfb', processor, valueMs }]));
  };
  return { observer, latencies, firstSpeeches, breakdowns, order, hops, ttfb, ...hops };
}

describe('UserBotLatencyObserver', () => {
  it("measures from the user's last word to the bot's first", () => {
    const { sees, passes, latencies } = setup();
    sees(new VADUserStartedSpeakingFrame());
    passes(2_000);
    sees(new VADUserStoppedSpeakingFrame(200));
    passes(600);
    sees(new BotStartedSpeakingFrame());
    expect(latencies).toEqual([800]);
  });

  it('measures every exchange', () => {
    const { sees, passes, latencies } = setup();
    for (const ms of [300, 500]) {
      sees(new VADUserStoppedSpeakingFrame());
      passes(ms);
      sees(new BotStartedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
    }
    expect(latencies).toEqual([300, 500]);
  });

  it('measures nothing when the user has not spoken', () => {
    const { sees, order } = setup();
    sees(new BotStartedSpeakingFrame());
    expect(order).toEqual([]);
  });

  it('begins anew when the user speaks on', () => {
    const { sees, passes, latencies } = setup();
    sees(new VADUserStoppedSpeakingFrame());
    passes(300);
    sees(new VADUserStartedSpeakingFrame());
    sees(new BotStartedSpeakingFrame());
    expect(latencies).toEqual([]);
    sees(new VADUserStoppedSpeakingFrame());
    passes(70);
    sees(new BotStartedSpeakingFrame());
    expect(latencies).toEqual([70]);
  });

  describe('without voice activity detection', () => {
    it("measures from the end of the user's turn, every exchange", () => {
      const { sees, passes, latencies, breakdowns, ttfb } = setup();
      for (const ms of [300, 500]) {
        sees(new UserStartedSpeakingFrame());
        passes(2_000);
        sees(new UserStoppedSpeakingFrame());
        passes(ms);
        ttfb('LLM#0', 70);
        sees(new BotStartedSpeakingFrame());
      }
      expect(latencies).toEqual([300, 500]);
      expect(breakdowns).toMatchObject([
        { userTurn: undefined, ttfb: [{ processor: 'LLM#0' }] },
        { userTurn: undefined, ttfb: [{ processor: 'LLM#0' }] },
      ]);
    });

    it('begins anew when the user speaks on', () => {
      const { sees, passes, latencies } = setup();
      sees(new UserStoppedSpeakingFrame());
      passes(300);
      sees(new UserStartedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(latencies).toEqual([]);
      sees(new UserStoppedSpeakingFrame());
      passes(70);
      sees(new BotStartedSpeakingFrame());
      expect(latencies).toEqual([70]);
    });

    it('measures no first speech when the user speaks first', () => {
      const { sees, firstSpeeches } = setup();
      sees(new ClientConnectedFrame());
      sees(new UserStartedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(firstSpeeches).toEqual([]);
    });
  });

  it('prefers voice activity to turns, whichever comes first', () => {
    const { sees, passes, latencies } = setup();
    sees(new VADUserStartedSpeakingFrame());
    sees(new VADUserStoppedSpeakingFrame(200));
    sees(new UserStartedSpeakingFrame());
    passes(500);
    sees(new UserStoppedSpeakingFrame());
    passes(100);
    sees(new BotStartedSpeakingFrame());
    expect(latencies).toEqual([800]);
  });

  it('measures nothing while a voice is still heard, though the turn is over', () => {
    const { sees, latencies } = setup();
    sees(new VADUserStartedSpeakingFrame());
    sees(new UserStartedSpeakingFrame());
    sees(new UserStoppedSpeakingFrame());
    sees(new BotStartedSpeakingFrame());
    expect(latencies).toEqual([]);
  });

  it('takes no notice of what goes upstream', () => {
    const { sees, order } = setup();
    sees(new VADUserStoppedSpeakingFrame());
    sees(new BotStartedSpeakingFrame(), 'upstream');
    expect(order).toEqual([]);
  });

  describe('breaks it down to', () => {
    it("each service's time to its first byte", () => {
      const { sees, passes, ttfb, breakdowns, hops } = setup();
      sees(new VADUserStoppedSpeakingFrame());
      passes(100);
      ttfb('STT#0', 80);
      passes(300);
      sees(
        new MetricsFrame([
          { kind: 'ttfb', processor: 'LLM#0', model: 'large', valueMs: 250 },
          { kind: 'processing', processor: 'LLM#0', valueMs: 900 },
        ]),
      );
      ttfb('TTS#0', 70);
      sees(new BotStartedSpeakingFrame());
      const { nowMs } = hops;
      expect(breakdowns).toEqual([
        {
          userTurn: undefined,
          ttfb: [
            { processor: 'STT#0', model: undefined, startMs: nowMs - 300 - 80, durationMs: 80 },
            { processor: 'LLM#0', model: 'large', startMs: nowMs - 250, durationMs: 250 },
            { processor: 'TTS#0', model: undefined, startMs: nowMs - 70, durationMs: 70 },
          ],
          functionCalls: [],
        },
      ]);
    });

    it('what belongs to the answer: an interruption drops what was reported before', () => {
      const { sees, ttfb, breakdowns, latencies } = setup();
      sees(new VADUserStoppedSpeakingFrame());
      ttfb('LLM#0', 245);
      sees(new InterruptionFrame());
      ttfb('LLM#0', 224);
      ttfb('TTS#0', 142);
      sees(new BotStartedSpeakingFrame());
      expect(breakdowns[0]?.ttfb).toMatchObject([
        { processor: 'LLM#0', durationMs: 224 },
        { processor: 'TTS#0', durationMs: 142 },
      ]);
      expect(latencies).toHaveLength(1);
    });

    it('this exchange: nothing of the one before is left', () => {
      const { sees, ttfb, breakdowns } = setup();
      sees(new VADUserStoppedSpeakingFrame());
      ttfb('LLM#0', 1);
      sees(new BotStartedSpeakingFrame());
      ttfb('TTS#0', 2);
      sees(new VADUserStoppedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(breakdowns.map(({ ttfb: figures }) => figures.length)).toEqual([1, 0]);
    });

    it("the wait for the end of the user's turn", () => {
      const { sees, passes, breakdowns, hops } = setup();
      sees(new VADUserStoppedSpeakingFrame(200));
      const { nowMs } = hops;
      passes(300);
      sees(new UserStoppedSpeakingFrame());
      passes(100);
      sees(new BotStartedSpeakingFrame());
      expect(breakdowns[0]?.userTurn).toEqual({ startMs: nowMs - 200, durationMs: 500 });
    });

    it('no such wait where nobody told the end of the turn', () => {
      const { sees, breakdowns } = setup();
      sees(new VADUserStoppedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(breakdowns[0]?.userTurn).toBeUndefined();
    });

    it('the time that functions took', () => {
      const { sees, passes, breakdowns, hops } = setup();
      sees(new VADUserStoppedSpeakingFrame());
      sees(new FunctionCallInProgressFrame(weather));
      const startMs = hops.nowMs;
      passes(250);
      sees(new FunctionCallResultFrame({ ...weather, result: 'rain' }));
      sees(new BotStartedSpeakingFrame());
      expect(breakdowns[0]?.functionCalls).toEqual([
        { functionName: 'get_weather', startMs, durationMs: 250 },
      ]);
    });

    it('no function that was given up, or interrupted, or began before', () => {
      const { sees, breakdowns } = setup();
      const result = new FunctionCallResultFrame({ ...weather, result: 'rain' });
      const cycle = (...frames: Parameters<typeof sees>[0][]): void => {
        sees(new VADUserStoppedSpeakingFrame());
        for (const frame of frames) sees(frame);
        sees(new BotStartedSpeakingFrame());
      };
      cycle(new FunctionCallInProgressFrame(weather), new FunctionCallCancelFrame(weather), result);
      cycle(
        new FunctionCallInProgressFrame(weather),
        new FunctionCallResultFrame({ ...weather, result: 'rain' }),
        new InterruptionFrame(),
      );
      sees(new FunctionCallInProgressFrame(weather));
      cycle(new FunctionCallResultFrame({ ...weather, result: 'rain' }));
      expect(breakdowns.map(({ functionCalls }) => functionCalls)).toEqual([[], [], []]);
    });
  });

  describe("the bot's first speech", () => {
    it('is measured from the arrival of the first participant, and broken down', () => {
      const { sees, passes, ttfb, firstSpeeches, latencies, breakdowns, order } = setup();
      sees(new ClientConnectedFrame());
      passes(100);
      sees(new ClientConnectedFrame());
      ttfb('LLM#0', 250);
      passes(300);
      ttfb('TTS#0', 70);
      sees(new BotStartedSpeakingFrame());
      expect(firstSpeeches).toEqual([400]);
      expect(latencies).toEqual([]);
      expect(breakdowns[0]?.ttfb).toHaveLength(2);
      expect(order).toEqual(['firstBotSpeechMeasured', 'latencyBrokenDown']);
    });

    it('is measured once', () => {
      const { sees, order } = setup();
      sees(new ClientConnectedFrame());
      sees(new BotStartedSpeakingFrame());
      sees(new VADUserStoppedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(order).toEqual([
        'firstBotSpeechMeasured',
        'latencyBrokenDown',
        'latencyMeasured',
        'latencyBrokenDown',
      ]);
    });

    it('is none when the user speaks first', () => {
      const { sees, firstSpeeches } = setup();
      sees(new ClientConnectedFrame());
      sees(new VADUserStartedSpeakingFrame());
      sees(new VADUserStoppedSpeakingFrame());
      sees(new BotStartedSpeakingFrame());
      expect(firstSpeeches).toEqual([]);
    });
  });

  describe('in a run', () => {
    useVirtualTime();

    it('measures, however long nothing happened before', async () => {
      const { observer, latencies } = setup();
      const task = new PipelineTask(new IdentityFilter(), { logger: silentLogger, observers: [observer] });
      const running = task.run();
      await sleep(400);
      task.queueFrame(new VADUserStoppedSpeakingFrame());
      await sleep(60);
      task.queueFrame(new BotStartedSpeakingFrame());
      task.stopWhenDone();
      await running;
      expect(latencies).toEqual([60]);
    });
  });
});

describe('chronologicalEvents', () => {
  it('tells what began first first', () => {
    const lines = chronologicalEvents({
      userTurn: { startMs: 100_000, durationMs: 150 },
      ttfb: [
        { processor: 'LLM#0', model: 'large', startMs: 100_200, durationMs: 250 },
        { processor: 'STT#0', startMs: 100_050, durationMs: 80 },
        { processor: 'TTS#0', startMs: 100_500, durationMs: 70.4 },
      ],
      functionCalls: [{ functionName: 'get_weather', startMs: 100_450, durationMs: 120 }],
    });
    expect(lines).toEqual([
      'User turn: 150 ms',
      'STT#0: TTFB 80 ms',
      'LLM#0: TTFB 250 ms',
      'get_weather: 120 ms',
      'TTS#0: TTFB 70 ms',
    ]);
  });

  it('has nothing to tell of nothing', () => {
    expect(chronologicalEvents({ ttfb: [], functionCalls: [] })).toEqual([]);
  });

  it('tells the parts that are known', () => {
    const ttfb = [{ processor: 'LLM#0', startMs: 0, durationMs: 200 }];
    expect(chronologicalEvents({ ttfb, functionCalls: [] })).toEqual(['LLM#0: TTFB 200 ms']);
  });
});
