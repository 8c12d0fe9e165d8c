import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { HangsOn, never, startRun, type WatchedRun, WithExitHook } from './faults.ts';

// — what is random —

/** What a processor never finishes. */
const hangsOn = {
  sound: (frame: Frame) => frame instanceof InputAudioRawFrame,
  texts: (frame: Frame) => frame instanceof TextFrame,
  terminals: ({ frameRole }: Frame) => frameRole === 'end' || frameRole === 'stop' || frameRole === 'cancel',
  everything: ({ frameRole }: Frame) => frameRole !== 'start',
} as const;
type Hangs = keyof typeof hangsOn;

const hangs = fc.constantFrom<Hangs>('sound', 'texts', 'terminals', 'everything');

const scenario = fc.record({
  hung: fc.array(fc.record({ hangs, inBranch: fc.boolean(), behindHealthy: fc.boolean() }), {
    minLength: 1,
    maxLength: 10,
  }),
  /** How many frames are queued, and which of them are sound. */
  waiting: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 2_000) },
    fc.integer({ min: 0, max: 2_000 }),
  ),
  soundEvery: fc.integer({ min: 1, max: 4 }),
  /** Whether sound goes on arriving, as from a microphone. */
  live: fc.boolean(),
  hungHooks: fc.integer({ min: 0, max: 3 }),
  how: fc.constantFrom<How>('end', 'stop', 'cancel', 'idle', 'shutdown'),
});

// — the ends —

const stallMs = 300;
const cancelMs = 200;
const idleMs = 500;
const shutdownMs = 400;
const hookMs = 300;
/** What a phase may take beyond its limit. */
const graceMs = 1_000;
/** Virtual time passes in steps. */
const stepMs = 20;

type How = 'end' | 'stop' | 'cancel' | 'idle' | 'shutdown';

const ways: Record<How, { readonly reason: string; readonly limitMs: number; begin(run: WatchedRun): void }> =
  {
    end: { reason: 'ended', limitMs: stallMs, begin: ({ task }) => task.queueFrame(new EndFrame()) },
    stop: { reason: 'stopped', limitMs: stallMs, begin: ({ task }) => task.queueFrame(new StopFrame()) },
    cancel: { reason: 'cancelled', limitMs: cancelMs, begin: ({ task }) => task.cancel() },
    idle: { reason: 'cancelled', limitMs: idleMs + cancelMs, begin: () => {} },
    shutdown: {
      reason: 'cancelled',
      limitMs: shutdownMs,
      begin: ({ task }) => task.forceShutdown(shutdownMs),
    },
  };

function build({ hung }: Scenario): FrameProcessor[] {
  return hung.flatMap(({ hangs, inBranch, behindHealthy }) => {
    const one = new HangsOn(hangsOn[hangs]);
    const placed = inBranch ? new ParallelPipeline([one], [new IdentityFilter()]) : one;
    return behindHealthy ? [new IdentityFilter(), placed] : [placed];
  });
}

type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

const sound = { audio: new Int16Array(1), sampleRate: 16_000, numChannels: 1 };

/** Goes on pushing sound until it is switched off. */
class Microphone extends IdentityFilter {
  #timer: ReturnType<typeof setInterval> | undefined;

  switchOn(): void {
    this.#timer = setInterval(() => this.push(new InputAudioRawFrame(sound)), 20);
  }

  switchOff(): void {
    clearInterval(this.#timer);
  }
}

async function run(one: Scenario) {
  const { limitMs, begin } = ways[one.how];
  let hooksRun = 0;
  const hook = (): FrameProcessor => new WithExitHook(() => void hooksRun++);
  const hungHooks = Array.from(
    { length: one.hungHooks },
    () => new WithExitHook(() => never, { timeoutMs: hookMs }),
  );
  const microphone = new Microphone();
  const watched = await startRun([microphone, hook(), ...hungHooks, hook(), ...build(one)], {
    endStallTimeoutMs: stallMs,
    cancelTimeoutMs: one.how === 'shutdown' ? null : cancelMs,
    idleTimeoutMs: one.how === 'idle' ? idleMs : null,
  });
  for (let number = 0; number < one.waiting; number += 1) {
    watched.task.queueFrame(
      number % one.soundEvery === 0 ? new InputAudioRawFrame(sound) : new TextFrame(`${number}`),
    );
  }
  await watched.pass(0);
  if (one.live) microphone.switchOn();
  const boundMs = limitMs + graceMs + (one.hungHooks > 0 ? hookMs + graceMs : 0);
  const startedMs = performance.now();
  begin(watched);
  while (watched.results.length === 0 && performance.now() - startedMs < boundMs + stepMs)
    await watched.pass(stepMs);
  microphone.switchOff();
  return { ...watched, tookMs: performance.now() - startedMs, boundMs, hooksRun };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('every end settles within its limit and a second, whatever waits and however many hang', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      const { results, exits, finished, tookMs, boundMs, hooksRun } = await run(one);
      expect(results.map(({ reason }) => reason)).toEqual([ways[one.how].reason]);
      expect(tookMs).toBeLessThanOrEqual(boundMs);
      expect(hooksRun).toBe(2);
      expect(exits).toHaveLength(1);
      expect(finished).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    }),
    {
      numRuns: Number(process.env.RANDOM_RUNS ?? 150),
      interruptAfterTimeLimit: 10_000,
      markInterruptAsFailure: false,
      verbose: 1,
    },
  );
});
