/** The processors of `traces/README.md`, section 5, that are not stock ones; written as any user would. */

import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { sleep } from '../support/fake-time.ts';
import { type FindProcessor, makeFrames, matches, retag } from './frame-notation.ts';
import type {
  DelaySpec,
  EmitSpec,
  HangSpec,
  HoldSpec,
  InterruptSpec,
  PauseSpec,
  ProbeSpec,
  SwallowSpec,
  TagSpec,
  ThrowSpec,
} from './scenario.ts';

/** A processor that does what the scenario says. */
abstract class Scripted<Spec extends { readonly name?: string }> extends FrameProcessor {
  protected readonly spec: Spec;

  constructor(spec: Spec) {
    super(spec.name === undefined ? {} : { name: spec.name });
    this.spec = spec;
  }
}

export class Delay extends Scripted<DelaySpec> {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (matches(this.spec.frames, frame, direction)) await sleep(this.spec.ms);
    this.push(frame, direction);
  }
}

export class Swallow extends Scripted<SwallowSpec> {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (!matches(this.spec.frames, frame, direction)) this.push(frame, direction);
  }
}

export class Hang extends Scripted<HangSpec> {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (matches(this.spec.frames, frame, direction)) await new Promise(() => {});
    this.push(frame, direction);
  }
}

export class Throw extends Scripted<ThrowSpec> {
  protected override process(frame: Frame, direction: FrameDirection): void {
    const fails = matches(this.spec.frames, frame, direction);
    if (!fails || this.spec.when === 'after') this.push(frame, direction);
    if (fails) throw new Error(this.spec.message);
  }
}

export class Tag extends Scripted<TagSpec> {
  protected override process(frame: Frame, direction: FrameDirection): void {
    const tagged = matches(this.spec.frames, frame, direction) ? retag(frame, this.spec.prefix) : frame;
    this.push(tagged, direction);
  }
}

export class Emit extends Scripted<EmitSpec> {
  readonly #find: FindProcessor;
  readonly #timers = new Set<NodeJS.Timeout>();
  #left: number;

  constructor(spec: EmitSpec, find: FindProcessor) {
    super(spec);
    this.#find = find;
    this.#left = spec.limit ?? Number.POSITIVE_INFINITY;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (this.#left === 0 || !matches(this.spec.on, frame, direction)) {
      this.push(frame, direction);
      return;
    }
    this.#left -= 1;
    const { when = 'after', afterMs } = this.spec;
    if (afterMs !== undefined) {
      this.push(frame, direction);
      this.#emitLater(afterMs);
      return;
    }
    if (when !== 'after') this.#emit();
    if (when !== 'instead') this.push(frame, direction);
    if (when === 'after') this.#emit();
  }

  override async cleanup(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await super.cleanup();
  }

  #emitLater(afterMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#emit();
    }, afterMs);
    this.#timers.add(timer);
  }

  #emit(): void {
    const { emit, direction = 'downstream' } = this.spec;
    for (const frame of makeFrames(emit, this.#find)) {
      if (direction === 'both') this.broadcastFrame(frame);
      else this.push(frame, direction);
    }
  }
}

export class Interrupt extends Scripted<InterruptSpec> {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (matches(this.spec.on, frame, direction)) {
      if (this.spec.delayMs !== undefined) await sleep(this.spec.delayMs);
      this.broadcastInterruption();
    }
    this.push(frame, direction);
  }
}

export class Hold extends Scripted<HoldSpec> {
  readonly #kept: [frame: Frame, direction: FrameDirection][] = [];

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (matches(this.spec.releaseOn, frame, direction)) {
      for (const kept of this.#kept.splice(0)) this.push(...kept);
    } else if (matches(this.spec.frames, frame, direction)) {
      this.#kept.push([frame, direction]);
      return;
    }
    this.push(frame, direction);
  }
}

export class Pause extends Scripted<PauseSpec> {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (matches(this.spec.pauseOn, frame, direction)) this.pauseProcessingFrames();
    if (matches(this.spec.resumeOn, frame, direction)) this.resumeProcessingFrames();
    this.push(frame, direction);
  }
}

/** Where a {@link Probe} writes to. */
export interface ProbeLog {
  saw(frame: Frame, direction: FrameDirection): void;
  cleanups: number;
}

export class Probe extends Scripted<ProbeSpec> {
  readonly #log: ProbeLog;

  constructor(spec: ProbeSpec, log: ProbeLog) {
    super(spec);
    this.#log = log;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    const { only } = this.spec;
    if (only === undefined || matches(only, frame, direction)) this.#log.saw(frame, direction);
    this.push(frame, direction);
  }

  override async cleanup(): Promise<void> {
    this.#log.cleanups += 1;
    await super.cleanup();
  }
}
