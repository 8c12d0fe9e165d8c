import { ControlFrame } from './frame.ts';

/** Goes through the pipeline and back again: when it is back, everything that was queued before it is through. */
export class PipelineFlushFrame extends ControlFrame {
  static {
    PipelineFlushFrame.hasRole('flush');
  }
  override uninterruptible = true;
}
