import { ControlFrame } from './frame.ts';

/**
 * Sent through the pipeline by the task at fixed times, to see whether it still moves.
 *
 * A control frame on purpose: it queues behind the data, so it is late where the data is late. Every processor
 * passes it on at once.
 *
 * @see Pipecat `frames/frames.py`, `HeartbeatFrame`; there in nanoseconds.
 */
export class HeartbeatFrame extends ControlFrame {
  static {
    HeartbeatFrame.hasRole('heartbeat');
  }
  /** When it was sent, in milliseconds of the task's own clock. */
  readonly timestamp: number;

  constructor(timestamp: number) {
    super();
    this.timestamp = timestamp;
  }
}
