import type { Frame, FrameDirection } from '../frames/frame.ts';
import { isLifecycleFrame, type LifecycleFrame } from '../frames/lifecycle.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { checkProcessors, Pipeline } from './pipeline.ts';
import { cleanUpAll, setUpAll } from './set-up-and-clean-up.ts';

/** A lifecycle frame that is on its way through the branches. */
interface Passage {
  readonly frame: LifecycleFrame;
  readonly missing: Set<Pipeline>;
}

/**
 * Branches side by side: every frame goes through all of them, and leaves once, with the fastest.
 *
 * Lifecycle frames leave when the last branch has let them out. What leaves the branches meanwhile waits behind a
 * StartFrame; while an End, Stop or Cancel frame is under way it goes on at once, and system and upstream frames go on
 * entering the branches.
 *
 * @see Pipecat `pipeline/parallel_pipeline.py`; differs in that a branch that keeps a lifecycle frame wedges
 * nothing, that what is said at the end is not held back, that a StopFrame waits for all branches as well, that a
 * cancel overtakes an end under way, and that it does not remember frames for ever.
 */
export class ParallelPipeline extends FrameProcessor {
  readonly #branches: readonly Pipeline[];
  readonly #left = new WeakSet<Frame>();
  #passage: Passage | undefined;
  /** What left the branches before the StartFrame did. */
  #waiting: [Frame, FrameDirection][] = [];
  /** Data and control frames behind an End or Stop frame under way: a fast branch would let them overtake it. */
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

  /** The framework passes a lifecycle frame on that nobody in the branches has any more. */
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
