/** What a transport sends beside the sound. */

import { OutputDTMFFrame, OutputDTMFUrgentFrame } from '../frames/dtmf.ts';
import type { Frame } from '../frames/frame.ts';
import { OutputTransportMessageFrame, OutputTransportMessageUrgentFrame } from '../frames/messages.ts';

/** A message, in its turn or at once. */
export type OutputMessage = OutputTransportMessageFrame | OutputTransportMessageUrgentFrame;

/** Keys of a telephone to be pressed, in their turn or at once. */
export type OutputKeys = OutputDTMFFrame | OutputDTMFUrgentFrame;

/** To be sent behind the sound that is ahead of it. */
export function isSentInTurn(frame: Frame): frame is OutputTransportMessageFrame | OutputDTMFFrame {
  return frame instanceof OutputTransportMessageFrame || frame instanceof OutputDTMFFrame;
}

/** To be sent at once. */
export function isSentAtOnce(
  frame: Frame,
): frame is OutputTransportMessageUrgentFrame | OutputDTMFUrgentFrame {
  return frame instanceof OutputTransportMessageUrgentFrame || frame instanceof OutputDTMFUrgentFrame;
}
