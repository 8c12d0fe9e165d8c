import { type Frame, roleOf } from '../frames/frame.ts';
import type { CancelFrame, EndFrame } from '../frames/lifecycle.ts';

/** Whether a frame, of any installed copy of the package, says that the conversation is over. */
export function endsConversation(frame: Frame): frame is EndFrame | CancelFrame {
  return endTrigger(frame) !== undefined;
}

/** Why a room is to be deleted when this has passed; `undefined` for everything but an EndFrame or a CancelFrame. */
export function endTrigger(value: unknown): 'end' | 'cancel' | undefined {
  const role = roleOf(value);
  return role === 'end' || role === 'cancel' ? role : undefined;
}
