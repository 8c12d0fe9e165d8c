/** Processors that misbehave as real ones do, and a run that tells how it ended. */

import { expect, vi } from 'vitest';
import type { Frame, FrameDirection, FrameRole } from '../../src/frames/frame.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type {
  ExitHook,
  ExitHookOptions,
  FrameProcessorSetup,
  PipelineResult,
} from '../../src/processors/frame-processor-setup.ts';

export const never: Promise<never> = new Promise<never>(() => {});

export const faults = ['throws', 'rejects', 'swallows', 'hangs'] as const;
export type Fault = (typeof faults)[number];

/** Does something wrong with the frames of these roles; passes all others on. */
export class FaultyProcessor extends FrameProcessor {
  readonly #fault: Fault;
  readonly #roles: readonly FrameRole[];

  constructor(fault: Fault, ...roles: readonly FrameRole[]) {
    super({ name: `${fault} on ${roles}` });
    this.#fault = fault;
    this.#roles = roles;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame.frameRole === undefined || !this.#roles.includes(frame.frameRole)) {
      this.push(frame, direction);
      return;
    }
    if (this.#fault === 'throws') throw new Error('thrown on purpose');
    if (this.#fault === 'rejects') return Promise.reject(new Error('rejected on purpose'));
    if (this.#fault === 'hangs') return never;
  }
}

/** Never finishes certain frames; passes all others on. */
export class HangsOn extends FrameProcessor {
  readonly #hangs: (frame: Frame) => boolean;

  constructor(hangs: (frame: Frame) => boolean) {
    super();
    this.#hangs = hangs;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (this.#hangs(frame)) return never;
    this.push(frame, direction);
  }
}

/** Passes everything on, and notes what it saw. */
export class Recorder extends FrameProcessor {
  readonly seen: Frame[] = [];
  cleanups = 0;

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.seen.push(frame);
    this.push(frame, direction);
  }

  override cleanup(): void | Promise<void> {
    this.cleanups += 1;
    return super.cleanup();
  }
}

/** Registers an exit hook, as a room's cleanup does. */
export class WithExitHook extends FrameProcessor {
  readonly #hook: ExitHook;
  readonly #options: ExitHookOptions | undefined;

  constructor(hook: ExitHook, options?: ExitHookOptions) {
    super();
    this.#hook = hook;
    this.#options = options;
  }

  override setup(setup: FrameProcessorSetup): void {
    super.setup(setup);
    setup.onExit(this.name, this.#hook, this.#options);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}

/** A run of these processors, behind one that notes how often the exit hooks ran. */
export interface WatchedRun {
  readonly task: PipelineTask;
  /** What the exit hook was told, once per call. */
  readonly exits: PipelineResult[];
  /** What `run()` settled with; more than one would be a defect. */
  readonly results: PipelineResult[];
  readonly finished: PipelineResult[];
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
}

// kept from before anybody installs fake timers: frames give way to the real event loop
const realTurn = setImmediate;

/** Lets virtual time pass, and whatever is under way before and after it come to rest. */
export async function pass(ms: number): Promise<void> {
  for (const step of [0, ms, 0]) {
    await vi.advanceTimersByTimeAsync(step);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => realTurn(resolve));
  }
}

/** Needs fake timers. The run has begun when this returns, and its processors are set up where they can be. */
export async function startRun(
  processors: readonly FrameProcessor[],
  options: PipelineTaskOptions = {},
): Promise<WatchedRun> {
  const exits: PipelineResult[] = [];
  const results: PipelineResult[] = [];
  const finished: PipelineResult[] = [];
  const hook = new WithExitHook(({ result }) => void exits.push(result));
  const task = new PipelineTask(new Pipeline([hook, ...processors]), { logger: silentLogger, ...options });
  task.on('finished', (result) => finished.push(result));
  void task.run().then((result) => results.push(result));
  await pass(0);
  return { task, exits, results, finished, pass };
}

/** What holds after every run, whatever its end. */
export function expectOneEnd({ exits, results, finished }: WatchedRun, reason: string): void {
  expect(results.map((result) => result.reason)).toEqual([reason]);
  expect(exits.map((result) => result.reason)).toEqual([reason]);
  expect(finished).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
}
