/** A processor that does nothing. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import { FrameProcessor } from './frame-processor.ts';

/** Pushes every frame on: a placeholder. */
export class IdentityFilter extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}
