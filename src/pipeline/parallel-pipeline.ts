/** Branches of processors side by side. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import { isLifecycleFrame, type LifecycleFrame } from '../frames/lifecycle.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { checkProcessors, Pipeline } from './pipeline.ts';
import { cleanUpAll, setUpAll } from './setup-all.ts';

/** A lifecycle frame in the branches. */
interface Passage {
  readonly frame: LifecycleFrame;
  /** The branches that it has not come out of. */
  readonly missing: Set<Pipeline>;
}

/**
 * Every frame goes through all branches, and leaves once, from the fastest.
 *
 * Lifecycle frames leave when they have come out of all branches. Frames that come out meanwhile wait behind a
 * StartFrame; while an End, Stop or Cancel frame is under way they leave at once, and system and upstream frames still
 * enter the branches.
 *
 * @example
 * ```ts
 * new ParallelPipeline([new Speaker()], [new Recorder(), new Uploader()]);
 * ```
 * @see Pipecat `pipeline/parallel_pipeline.py`; differs in that a branch that keeps a lifecycle frame blocks nothing,
 * that frames are not held back at the end, that a StopFrame waits for all branches as well, that a cancel overtakes an
 * end under way, and that it does not keep references to all frames.
 */
export class ParallelPipeline extends FrameProcessor {
  readonly #branches: readonly Pipeline[];
  readonly #left = new WeakSet<Frame>();
  #passage: Passage | undefined;
  /** Frames that came out of the branches before the StartFrame. */
  #waiting: [Frame, FrameDirection][] = [];
  /** Data and control frames behind an End or Stop frame under way, which they would overtake in a fast branch. */
  #behind: Frame[] = [];
  #setup: FrameProcessorSetup | undefined;

  /**
   * @param branches One list of processors per branch; a list may be empty.
   * @throws {InvalidOptionError} When there is no branch, or one is not a list of processors.
   */
  constructor(...branches: readonly (readonly FrameProcessor[])[]) {
    super();
    if (branches.length === 0) throw new InvalidOptionError('branches', 'at least one list of processors');
    checkProcessors(
      'branches',
      branches.flatMap((branch) => {
        checkProcessors('branches', branch);
        return branch;
      }),
    );
    this.#branches = branches.map((processors) => {
      const branch: Pipeline = new Pipeline(processors, {
        upstream: (frame, direction) => this.#leave(branch, frame, direction),
        downstream: (frame, direction) => this.#leave(branch, frame, direction),
      });
      return branch;
    });
  }

  override get processors(): readonly FrameProcessor[] {
    return this.#branches;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    super.setup(setup);
    this.#setup = setup;
    this.#passage = undefined;
    this.#waiting = [];
    this.#behind = [];
    return setUpAll(this.#branches, setup);
  }

  override cleanup(): void | Promise<void> {
    super.cleanup();
    this.#waiting = [];
    this.#behind = [];
    if (this.#setup !== undefined) return cleanUpAll(this.#branches, this.#setup);
  }

  /** Also called by the framework, with a lifecycle frame that got lost in the branches. */
  override push(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (frame === this.#passage?.frame && direction === 'downstream') this.#arrive(this.#passage);
    else super.push(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (direction === 'downstream' && this.#isHeld(frame)) {
      this.#behind.push(frame);
      return;
    }
    if (frame.frameRole === 'interruption') this.#behind = this.#behind.filter((one) => one.uninterruptible);
    if (direction === 'downstream' && isLifecycleFrame(frame)) this.#begin(frame);
    for (const branch of this.#branches) branch.queueFrame(frame, direction);
  }

  #isHeld(frame: Frame): boolean {
    return this.#passage !== undefined && frame.kind !== 'system';
  }

  #begin(frame: LifecycleFrame): void {
    this.#passage = { frame, missing: new Set(this.#branches) };
    if (frame.frameRole !== 'start') return;
    this.pauseProcessingFrames();
    this.pauseProcessingSystemFrames();
  }

  #leave(branch: Pipeline, frame: Frame, direction: FrameDirection): void {
    const passage = this.#passage;
    if (frame === passage?.frame && direction === 'downstream') {
      passage.missing.delete(branch);
      if (passage.missing.size === 0) this.#arrive(passage);
      return;
    }
    if (this.#left.has(frame)) return;
    this.#left.add(frame);
    if (passage?.frame.frameRole === 'start') this.#waiting.push([frame, direction]);
    else super.push(frame, direction);
  }

  #arrive({ frame }: Passage): void {
    this.#passage = undefined;
    this.#left.add(frame);
    super.push(frame);
    for (const [waited, direction] of this.#waiting.splice(0)) super.push(waited, direction);
    for (const late of this.#behind.splice(0)) this.process(late, 'downstream');
    if (frame.frameRole !== 'start') return;
    this.resumeProcessingSystemFrames();
    this.resumeProcessingFrames();
  }
}
