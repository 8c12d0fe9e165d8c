/** The frames that start and stop a pipeline, and those that ask the task to. */

import { ControlFrame, type Frame, roleOf, SystemFrame } from './frame.ts';

/** First frame of every run: nothing is processed before it. A receiver gets ready, then passes it on. */
export class StartFrame extends SystemFrame {
  static {
    StartFrame.hasRole('start');
    StartFrame.showsActivity('sign');
  }
}

/**
 * Ends the run gracefully: it queues behind the frames ahead of it, so they all play out first.
 *
 * A receiver finishes what it has begun, then passes it on.
 *
 * @see Pipecat `frames/frames.py`, `EndFrame`
 */
export class EndFrame extends ControlFrame {
  static {
    EndFrame.hasRole('end');
  }
  override uninterruptible = true;
  /** Why the run ends; free text. */
  readonly reason: string | undefined;

  /** @param reason Why the run ends, for logs and observers. */
  constructor(reason?: string) {
    super();
    this.reason = reason;
  }
}

/**
 * Ends the run like an {@link EndFrame}, but keeps the processors and their connections for a next run.
 *
 * @see Pipecat `frames/frames.py`, `StopFrame`
 */
export class StopFrame extends ControlFrame {
  static {
    StopFrame.hasRole('stop');
  }
  override uninterruptible = true;
}

/**
 * Ends the run now: it overtakes queued frames, which are dropped. A receiver stops at once and passes it on.
 *
 * @see Pipecat `frames/frames.py`, `CancelFrame`
 */
export class CancelFrame extends SystemFrame {
  static {
    CancelFrame.hasRole('cancel');
  }
  /** Why the run ends; free text. */
  readonly reason: string | undefined;

  /** @param reason Why the run is cancelled, for logs and observers. */
  constructor(reason?: string) {
    super();
    this.reason = reason;
  }
}

/**
 * Asks the task to end: pushed downstream it drains the pipeline first, pushed upstream it asks at once.
 * The task answers with an {@link EndFrame} of the same reason.
 *
 * @see Pipecat `frames/frames.py`, `EndWorkerFrame`
 */
export class EndTaskFrame extends ControlFrame {
  static {
    EndTaskFrame.hasRole('end-task');
  }
  override uninterruptible = true;
  /** Why the run ends; free text. */
  readonly reason: string | undefined;

  constructor(reason?: string) {
    super();
    this.reason = reason;
  }
}

/** Asks the task to stop: answered with a {@link StopFrame}. */
export class StopTaskFrame extends ControlFrame {
  static {
    StopTaskFrame.hasRole('stop-task');
  }
  override uninterruptible = true;
}

/** Asks the task to cancel, at once: answered with a {@link CancelFrame} of the same reason. */
export class CancelTaskFrame extends SystemFrame {
  static {
    CancelTaskFrame.hasRole('cancel-task');
  }
  /** Why the run ends; free text. */
  readonly reason: string | undefined;

  constructor(reason?: string) {
    super();
    this.reason = reason;
  }
}

/** The frames that end a run. */
export type TerminalFrame = EndFrame | StopFrame | CancelFrame;

/** The frames a run begins and ends with. */
export type LifecycleFrame = StartFrame | TerminalFrame;

/** True for an End, Stop or Cancel frame of any installed copy of the package. */
export function isTerminalFrame(frame: Frame): frame is TerminalFrame {
  const role = roleOf(frame);
  return role === 'end' || role === 'stop' || role === 'cancel';
}

/** True for a Start, End, Stop or Cancel frame of any installed copy of the package. */
export function isLifecycleFrame(frame: Frame): frame is LifecycleFrame {
  return roleOf(frame) === 'start' || isTerminalFrame(frame);
}
