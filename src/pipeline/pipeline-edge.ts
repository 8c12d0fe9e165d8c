import type { Frame, FrameDirection } from '../frames/frame.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';

export type FrameHandler = (frame: Frame, direction: FrameDirection) => void;

/**
 * One end of a chain: hands over what arrives there, in the same breath. What enters there, passes. Behind a
 * CancelFrame nothing does, in either direction.
 *
 * @see Pipecat `pipeline/pipeline.py`, `PipelineSource` and `PipelineSink`
 */
export class PipelineEdge extends FrameProcessor {
  readonly #exit: FrameDirection;
  readonly #leaves: FrameHandler;
  #isCancelled = false;

  /**
   * @param exit The direction in which frames leave the chain here.
   * @param leaves Gets the frames that leave.
   */
  constructor(exit: FrameDirection, leaves: FrameHandler) {
    super({ directMode: true });
    this.#exit = exit;
    this.#leaves = leaves;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#isCancelled = false;
    return super.setup(setup);
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#isCancelled) return;
    if (frame.frameRole === 'cancel') this.#isCancelled = true;
    if (direction === this.#exit) this.#leaves(frame, direction);
    else this.push(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}
