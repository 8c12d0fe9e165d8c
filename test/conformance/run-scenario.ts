/** Plays a scenario and writes down what happened: `traces/README.md`, sections 2 and 6. */

import { type Frame, type FrameDirection, roleOf } from '../../src/frames/frame.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { sleep } from '../support/fake-time.ts';
import { ProcessorRegistry } from './build-processors.ts';
import { makeFrames, record } from './frame-notation.ts';
import type { FrameRecord, Scenario, Step } from './scenario.ts';
import type { ProbeLog } from './vocabulary.ts';

/** No scenario takes longer than 4 s, of virtual time. */
const patienceMs = 8_000;

/** A frame as it was when it was recorded. */
export interface Sighting {
  readonly frame: Frame;
  readonly record: FrameRecord;
}

/** What a scenario's run looked like from outside. */
export interface Recording {
  readonly downstream: readonly Sighting[];
  readonly upstream: readonly Sighting[];
  readonly probes: ReadonlyMap<string, { readonly saw: readonly Sighting[]; readonly cleanups: number }>;
  /** `undefined` when `run()` did not settle, or was rejected. */
  readonly result: PipelineResult | undefined;
  readonly rejection: unknown;
  /** From the call of `run()` until it settled. */
  readonly settledAfterMs: number;
  readonly finishedEvents: number;
  readonly errorCount: number;
}

/** Records the frames of one direction in the breath in which they are handed over, and hands them on. */
class Capture extends FrameProcessor {
  readonly #direction: FrameDirection;
  readonly #see: (frame: Frame) => void;
  /** Behind a CancelFrame nothing passes, as in Pipecat's direct mode. */
  #isCancelled = false;

  constructor(direction: FrameDirection, see: (frame: Frame) => void) {
    super({ name: `${direction} capture` });
    this.#direction = direction;
    this.#see = see;
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#isCancelled) return;
    if (frame.frameRole === 'cancel') this.#isCancelled = true;
    if (direction === this.#direction) this.#see(frame);
    this.push(frame, direction);
  }

  protected override process(): void {}
}

/** What one probe saw. */
class ProbeRecording implements ProbeLog {
  readonly sightings: Sighting[] = [];
  cleanups = 0;
  readonly #isNamed: (processorName: string) => boolean;

  constructor(isNamed: (processorName: string) => boolean) {
    this.#isNamed = isNamed;
  }

  saw(frame: Frame, direction: FrameDirection): void {
    this.sightings.push({ frame, record: { ...record(frame, this.#isNamed), direction } });
  }
}

/** Runs a scenario from its first step to 30 ms after its end. Needs time that passes by itself. */
export async function runScenario(scenario: Scenario): Promise<Recording> {
  const downstream: Sighting[] = [];
  const upstream: Sighting[] = [];
  const probes = new Map<string, ProbeRecording>();
  const registry: ProcessorRegistry = new ProcessorRegistry((id) => {
    const probe = new ProbeRecording(registry.isNamed);
    probes.set(id, probe);
    return probe;
  });
  const captureInto = (sightings: Sighting[], direction: FrameDirection): Capture =>
    new Capture(direction, (frame) => sightings.push({ frame, record: record(frame, registry.isNamed) }));
  const pipeline = new Pipeline([
    captureInto(upstream, 'upstream'),
    ...registry.build(scenario.processors),
    captureInto(downstream, 'downstream'),
  ]);
  const task = new PipelineTask(pipeline, taskOptions(scenario));

  let errorCount = 0;
  let finishedEvents = 0;
  task.on('error', (error) => {
    if (roleOf(error) === 'error') errorCount += 1;
  });
  task.on('finished', () => {
    finishedEvents += 1;
  });
  const started = new Promise<void>((resolve) => task.once('started', resolve));

  const run = new Run(task, registry);
  await run.perform(scenario.beforeRun ?? []);
  run.begin();
  if (scenario.immediate !== true) {
    await Promise.race([started.then(() => sleep(20)), run.settled]);
  }
  if (scenario.immediate === true || !run.hasSettled) await run.perform(scenario.steps ?? []);
  await Promise.race([run.settled, sleep(patienceMs)]);
  await sleep(30);
  const outcome = {
    downstream: [...downstream],
    upstream: [...upstream],
    probes: new Map(
      [...probes].map(([id, { sightings, cleanups }]) => [id, { saw: [...sightings], cleanups }]),
    ),
    result: run.result,
    rejection: run.rejection,
    settledAfterMs: run.settledAfterMs,
    finishedEvents,
    errorCount,
  };
  if (!run.hasSettled) task.cancel('the scenario did not end');
  return outcome;
}

function taskOptions({ limits = {} }: Scenario): PipelineTaskOptions {
  const { startMs, cancelMs, stallMs } = limits;
  return {
    idleTimeoutMs: null,
    logger: silentLogger,
    ...(startMs === undefined ? {} : { startTimeoutMs: startMs }),
    ...(cancelMs === undefined ? {} : { cancelTimeoutMs: cancelMs }),
    ...(stallMs === undefined ? {} : { endStallTimeoutMs: stallMs }),
  };
}

/** One run of a task, and the steps that are performed on it. */
class Run {
  readonly #task: PipelineTask;
  readonly #registry: ProcessorRegistry;
  #settle: () => void = () => {};
  /** Resolves when `run()` has settled, in whichever way. */
  readonly settled: Promise<void> = new Promise((resolve) => {
    this.#settle = resolve;
  });
  hasSettled = false;
  result: PipelineResult | undefined;
  rejection: unknown;
  settledAfterMs = Number.POSITIVE_INFINITY;

  constructor(task: PipelineTask, registry: ProcessorRegistry) {
    this.#task = task;
    this.#registry = registry;
  }

  begin(): void {
    const calledAt = performance.now();
    const over = (): void => {
      this.hasSettled = true;
      this.settledAfterMs = performance.now() - calledAt;
      this.#settle();
    };
    this.#task.run().then(
      (result) => {
        this.result = result;
        over();
      },
      (error: unknown) => {
        this.rejection = error ?? new Error('run() was rejected without a reason');
        over();
      },
    );
  }

  async perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#performOne(step);
  }

  async #performOne(step: Step): Promise<void> {
    if ('queue' in step) {
      for (const frame of makeFrames(step.queue, this.#registry.find)) {
        this.#task.queueFrame(frame, step.direction ?? 'downstream');
      }
    } else if ('sleep' in step) {
      await sleep(step.sleep);
    } else if ('cancel' in step) {
      this.#task.cancel(step.cancel ?? undefined);
    } else if ('stopWhenDone' in step) {
      this.#task.stopWhenDone();
    } else if ('waitFinished' in step) {
      await Promise.race([this.settled, sleep(patienceMs)]);
    } else {
      throw new Error(`The traces know no step ${JSON.stringify(step)}`);
    }
  }
}
