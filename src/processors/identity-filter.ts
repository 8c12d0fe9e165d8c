import type { Frame, FrameDirection } from '../frames/frame.ts';
import { FrameProcessor } from './frame-processor.ts';

/** Passes every frame on: a placeholder, and the simplest processor there is. */
export class IdentityFilter extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}
