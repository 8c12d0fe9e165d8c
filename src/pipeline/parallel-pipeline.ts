import { InvalidOptionError } from '../errors.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { LifecycleFrame } from '../frames/lifecycle.ts';
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
 * Start, End and Cancel leave when the last branch has let them out; what leaves the branches meanwhile waits:
 * behind a StartFrame, before the others.
 *
 * @see Pipecat `pipeline/parallel_pipeline.py`; differs in that a branch that keeps a lifecycle frame wedges
 * nothing, that a cancel overtakes an end under way, and that it does not remember frames for ever.
 */
export class ParallelPipeline extends FrameProcessor {
  readonly #branches: readonly Pipeline[];
  readonly #left = new WeakSet<Frame>();
  #passage: Passage | undefined;
  #waiting: [Frame, FrameDirection][] = [];
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
    return setUpAll(this.#branches, setup);
  }

  override cleanup(): void | Promise<void> {
    super.cleanup();
    this.#waiting = [];
    if (this.#setup !== undefined) return cleanUpAll(this.#branches, this.#setup);
  }

  /** The framework passes a lifecycle frame on that nobody in the branches has any more. */
  override push(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (frame === this.#passage?.frame && direction === 'downstream') this.#arrive(this.#passage);
    else super.push(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (direction === 'downstream' && (role === 'start' || role === 'end' || role === 'cancel')) {
      this.#passage = { frame: frame as LifecycleFrame, missing: new Set(this.#branches) };
      this.pauseProcessingFrames();
      this.pauseProcessingSystemFrames();
    }
    for (const branch of this.#branches) branch.queueFrame(frame, direction);
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
    if (passage === undefined) super.push(frame, direction);
    else this.#waiting.push([frame, direction]);
  }

  #arrive({ frame }: Passage): void {
    this.#passage = undefined;
    this.#left.add(frame);
    const waiting = this.#waiting;
    this.#waiting = [];
    if (frame.frameRole === 'start') super.push(frame);
    for (const [waited, direction] of waiting) super.push(waited, direction);
    if (frame.frameRole !== 'start') super.push(frame);
    this.resumeProcessingSystemFrames();
    this.resumeProcessingFrames();
  }
}
