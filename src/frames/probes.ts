/** The frames with which the task probes its pipeline. */

import { ControlFrame } from './frame.ts';

/** Goes downstream and back upstream: when it is back, all frames queued before it have been processed. */
export class PipelineFlushFrame extends ControlFrame {
  static {
    PipelineFlushFrame.hasRole('flush');
  }
  override uninterruptible = true;
}

/**
 * Sent through the pipeline by the task at a fixed interval, to detect that it is stuck.
 *
 * A control frame, so that it queues behind data and is late where data is late. Every processor passes it on at once.
 *
 * @see Pipecat `frames/frames.py`, `HeartbeatFrame`; there in nanoseconds.
 */
export class HeartbeatFrame extends ControlFrame {
  static {
    HeartbeatFrame.hasRole('heartbeat');
  }
  /** The time it was sent, in milliseconds of the task's own clock. */
  readonly timestamp: number;

  constructor(timestamp: number) {
    super();
    this.timestamp = timestamp;
  }
}
