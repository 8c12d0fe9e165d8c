/** Frames that make one processor wait, and go on. */

import type { Named } from './error-frame.ts';
import { ControlFrame, SystemFrame } from './frame.ts';

/**
 * Pauses a processor in its turn: once the frame is reached there, the data and control frames behind it wait.
 *
 * System frames still pass. Every processor passes it on; the named one pauses.
 *
 * @see Pipecat `frames/frames.py`, `FrameProcessorPauseFrame`
 */
export class FrameProcessorPauseFrame extends ControlFrame {
  static {
    FrameProcessorPauseFrame.hasRole('pause');
  }
  /** The processor to pause, compared by name. */
  readonly processor: Named;

  constructor(processor: Named) {
    super();
    this.processor = processor;
  }
}

/** Pauses a processor at once: data and control frames that already wait there wait on. */
export class FrameProcessorPauseUrgentFrame extends SystemFrame {
  static {
    FrameProcessorPauseUrgentFrame.hasRole('pause');
  }
  /** The processor to pause, compared by name. */
  readonly processor: Named;

  constructor(processor: Named) {
    super();
    this.processor = processor;
  }
}

/** Lets a paused processor go on. A system frame, since a control frame would wait behind the pause for ever. */
export class FrameProcessorResumeFrame extends SystemFrame {
  static {
    FrameProcessorResumeFrame.hasRole('resume');
  }
  /** The processor to resume, compared by name. */
  readonly processor: Named;

  constructor(processor: Named) {
    super();
    this.processor = processor;
  }
}

/** The same as {@link FrameProcessorResumeFrame}; the counterpart of the urgent pause. */
export class FrameProcessorResumeUrgentFrame extends SystemFrame {
  static {
    FrameProcessorResumeUrgentFrame.hasRole('resume');
  }
  /** The processor to resume, compared by name. */
  readonly processor: Named;

  constructor(processor: Named) {
    super();
    this.processor = processor;
  }
}
