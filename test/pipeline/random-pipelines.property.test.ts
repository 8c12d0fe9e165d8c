import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  ControlFrame,
  DataFrame,
  type Frame,
  type FrameDirection,
  SystemFrame,
} from '../../src/frames/frame.ts';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { pass, WithExitHook } from './faults.ts';

/** Numbered in the order in which they were queued, each lane for itself. */
type Numbered = Frame & { readonly number: number };

class Data extends DataFrame {
  readonly number: number;
  constructor(number: number) {
    super();
    this.number = number;
  }
}

class Control extends ControlFrame {
  readonly number: number;
  constructor(number: number) {
    super();
    this.number = number;
  }
}

class Keep extends DataFrame {
  override uninterruptible = true;
  readonly number: number;
  constructor(number: number) {
    super();
    this.number = number;
  }
}

class System extends SystemFrame {
  readonly number: number;
  constructor(number: number) {
    super();
    this.number = number;
  }
}

const isNumbered = (frame: Frame): frame is Numbered => 'number' in frame;

// kept from before anybody installs fake timers
const realTurn = setImmediate;

// — what is random —

type Fault = 'throws' | 'swallows' | 'hangs';
type Role = 'start' | 'end' | 'stop' | 'cancel';

type Spec =
  | { readonly kind: 'identity' | 'direct' }
  | { readonly kind: 'yields'; readonly turns: number; readonly every: number }
  | { readonly kind: 'drops'; readonly every: number }
  | { readonly kind: 'throws'; readonly every: number }
  | { readonly kind: 'interrupts'; readonly every: number }
  | { readonly kind: 'lifecycle'; readonly fault: Fault; readonly role: Role }
  | { readonly kind: 'hangs'; readonly every: number }
  | { readonly kind: 'row'; readonly inside: readonly Spec[] }
  | { readonly kind: 'branches'; readonly inside: readonly (readonly Spec[])[] };

const every = fc.integer({ min: 2, max: 7 });
const role = fc.constantFrom<Role>('start', 'end', 'stop', 'cancel');
const fault = fc.constantFrom<Fault>('throws', 'swallows', 'hangs');

const { spec } = fc.letrec<{ spec: Spec; row: Spec; branches: Spec; leaf: Spec }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<Spec>({ kind: 'identity' }, { kind: 'direct' }),
    fc.record({ kind: fc.constant('yields' as const), turns: fc.integer({ min: 0, max: 3 }), every }),
    fc.record({ kind: fc.constantFrom('drops' as const, 'throws' as const, 'interrupts' as const), every }),
    fc.record({ kind: fc.constant('lifecycle' as const), fault, role }),
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hangs' as const), every: fc.constant(9) }) },
  ),
  row: fc.record({ kind: fc.constant('row' as const), inside: fc.array(tie('spec'), { maxLength: 3 }) }),
  branches: fc.record({
    kind: fc.constant('branches' as const),
    inside: fc.array(fc.array(tie('spec'), { maxLength: 2 }), { minLength: 1, maxLength: 3 }),
  }),
  spec: fc.oneof({ maxDepth: 2, depthSize: 'small' }, tie('leaf'), tie('row'), tie('branches')),
}));

type Step = 'data' | 'control' | 'keep' | 'system' | 'interrupt' | 'upstream' | 'wait';

const scenario = fc.record({
  specs: fc.array(spec, { maxLength: 4 }),
  steps: fc.array(
    fc.constantFrom<Step>('data', 'data', 'control', 'keep', 'system', 'interrupt', 'upstream', 'wait'),
    {
      maxLength: 25,
    },
  ),
  /** Whether the frames are queued before the run. */
  early: fc.boolean(),
  last: fc.constantFrom<'end' | 'stop' | 'cancel'>('end', 'end', 'stop', 'cancel'),
});

// — what is built from it —

class Scripted extends FrameProcessor {
  readonly #spec: Spec;
  #count = 0;

  constructor(one: Spec) {
    super({ directMode: one.kind === 'direct' });
    this.#spec = one;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    const one = this.#spec;
    if (one.kind === 'lifecycle' && frame.frameRole === one.role && direction === 'downstream') {
      if (one.fault === 'throws') throw new Error('thrown on purpose');
      return one.fault === 'hangs' ? new Promise(() => {}) : undefined;
    }
    if ('every' in one && isNumbered(frame)) {
      this.#count += 1;
      if (this.#count % one.every === 0) return this.#meddle(one.kind, frame, direction);
    }
    this.push(frame, direction);
  }

  #meddle(kind: Spec['kind'], frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (kind === 'throws') throw new Error('thrown on purpose');
    if (kind === 'hangs') return new Promise(() => {});
    if (kind === 'yields') return this.#pushLater(frame, direction);
    if (kind === 'interrupts') this.broadcastInterruption();
    if (kind !== 'drops') this.push(frame, direction);
  }

  async #pushLater(frame: Frame, direction: FrameDirection): Promise<void> {
    const { turns } = this.#spec as Extract<Spec, { kind: 'yields' }>;
    for (let turn = 0; turn < turns; turn += 1) await undefined;
    if (turns === 3) await new Promise((resolve) => realTurn(resolve));
    this.push(frame, direction);
  }
}

function build(one: Spec): FrameProcessor {
  if (one.kind === 'row') return new Pipeline(one.inside.map(build));
  if (one.kind === 'branches') return new ParallelPipeline(...one.inside.map((branch) => branch.map(build)));
  return new Scripted(one);
}

/** All processors of a pipeline, compounds included. */
function all(specs: readonly Spec[]): readonly Spec[] {
  return specs.flatMap((one) => {
    if (one.kind === 'row') return [one, ...all(one.inside)];
    if (one.kind === 'branches') return [one, ...all(one.inside.flat())];
    return [one];
  });
}

const has = (specs: readonly Spec[], ...kinds: readonly Spec['kind'][]): boolean =>
  all(specs).some(({ kind }) => kinds.includes(kind));

const make = { data: Data, control: Control, keep: Keep, system: System } as const;

interface Run {
  readonly queued: readonly Numbered[];
  readonly arrived: readonly Frame[];
  readonly results: readonly PipelineResult[];
  readonly exits: number;
  readonly terminals: readonly Frame[];
}

async function run({
  specs,
  steps,
  early,
  last,
}: typeof scenario extends fc.Arbitrary<infer S> ? S : never): Promise<Run> {
  const queued: Numbered[] = [];
  const arrived: Frame[] = [];
  const terminals: Frame[] = [];
  const results: PipelineResult[] = [];
  let exits = 0;
  const hook = new WithExitHook(() => {
    exits += 1;
  });
  const task = new PipelineTask(new Pipeline([hook, ...specs.map(build)]), {
    logger: silentLogger,
    setupTimeoutMs: 40,
    startTimeoutMs: 40,
    endStallTimeoutMs: 15,
    cancelTimeoutMs: 15,
    cleanupTimeoutMs: 15,
    idleTimeoutMs: null,
  });
  task.frames$.subscribe((frame) => arrived.push(frame));
  task.lifecycle$.subscribe(({ phase, frame }) => {
    if (phase === 'completed' && frame.frameRole !== 'start') terminals.push(frame);
  });
  task.on('finished', (result) => results.push(result));
  if (!early) void task.run();
  for (const [number, step] of steps.entries()) {
    if (step === 'wait') await undefined;
    else if (step === 'interrupt') task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    else if (step === 'upstream') task.queueFrame(new Data(number), 'upstream');
    else {
      const frame = new make[step](number);
      queued.push(frame);
      task.queueFrame(frame);
    }
  }
  const terminal = { end: EndFrame, stop: StopFrame, cancel: CancelFrame }[last];
  task.queueFrame(new terminal());
  if (early) void task.run();
  const startedMs = performance.now();
  while (results.length === 0 && performance.now() - startedMs < 10_000) await pass(5);
  return { queued, arrived, results, exits, terminals };
}

const byNumber = (one: Numbered, other: Numbered): number => one.number - other.number;

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('random pipelines keep order, lose nothing that must not be lost, and end exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      const { queued, arrived, results, exits, terminals } = await run(one);
      const numbered = arrived.filter(isNumbered);

      // exactly one result, and one run of the exit hooks
      expect(results).toHaveLength(1);
      expect(exits).toBe(1);

      // the terminal frame always arrives; only a start that never came through may fail
      const startIsHung = all(one.specs).some(
        (leaf) => leaf.kind === 'lifecycle' && leaf.role === 'start' && leaf.fault !== 'throws',
      );
      const reason = { end: 'ended', stop: 'stopped', cancel: 'cancelled' }[one.last];
      const acceptable = startIsHung ? [reason, 'failed'] : [reason];
      expect(acceptable).toContain(results[0]?.reason);
      if (results[0]?.reason !== 'failed') expect(terminals).toHaveLength(1);

      // no duplicates
      expect(new Set(numbered).size).toBe(numbered.length);

      // order inside each lane; branches and direct processors have no common lane
      if (!has(one.specs, 'branches')) {
        const system = numbered.filter(({ kind }) => kind === 'system');
        const other = numbered.filter(({ kind }) => kind !== 'system');
        expect(isAscending(system.map(({ number }) => number))).toBe(true);
        expect(isAscending(other.map(({ number }) => number))).toBe(true);
      }

      // uninterruptible frames are never lost, unless somebody drops them on purpose or the run was cut
      const isCut = one.last === 'cancel' || results[0]?.reason === 'failed';
      const isLossless = !isCut && !has(one.specs, 'drops', 'throws', 'hangs');
      const inSomeOrder = has(one.specs, 'branches');
      if (isLossless) {
        const kept = queued.filter(({ uninterruptible }) => uninterruptible);
        const arrivedKept = numbered.filter(({ uninterruptible }) => uninterruptible);
        expect(inSomeOrder ? arrivedKept.toSorted(byNumber) : arrivedKept).toEqual(kept);
      }

      // nor is anything else, where nobody interrupts
      const isInterrupted = one.steps.includes('interrupt') || has(one.specs, 'interrupts');
      if (isLossless && !isInterrupted) expect(numbered).toHaveLength(queued.length);
    }),
    {
      numRuns: Number(process.env.RANDOM_RUNS ?? 300),
      interruptAfterTimeLimit: 8_000,
      markInterruptAsFailure: false,
      verbose: 1,
    },
  );
});
