/** The frames that interrupt the bot. */

import { SystemFrame } from './frame.ts';

/**
 * Drops what is queued: every processor that it passes drops its queued data and control frames, and abandons the one
 * it is processing, unless they are uninterruptible. A receiver that plays or generates stops at once, then passes it
 * on.
 *
 * @see Pipecat `frames/frames.py`, `InterruptionFrame`
 */
export class InterruptionFrame extends SystemFrame {
  static {
    InterruptionFrame.hasRole('interruption');
  }
}

/** A request to the task for an {@link InterruptionFrame} from the start of the pipeline, at any time. */
export class InterruptionTaskFrame extends SystemFrame {
  static {
    InterruptionTaskFrame.hasRole('interruption-task');
  }
}
