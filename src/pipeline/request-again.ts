import type { Frame } from '../frames/frame.ts';
import { InterruptionTaskFrame } from '../frames/interruption.ts';
import { CancelTaskFrame, EndTaskFrame, StopTaskFrame } from '../frames/lifecycle.ts';

/** A request that has drained the pipeline downstream, to be sent back up. */
export function requestAgain(frame: Frame): Frame {
  switch (frame.frameRole) {
    case 'end-task':
      return new EndTaskFrame((frame as EndTaskFrame).reason);
    case 'stop-task':
      return new StopTaskFrame();
    case 'cancel-task':
      return new CancelTaskFrame((frame as CancelTaskFrame).reason);
    default:
      return new InterruptionTaskFrame();
  }
}
