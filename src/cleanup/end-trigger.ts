/** Which frames end a conversation. */

import { type Frame, roleOf } from '../frames/frame.ts';
import type { CancelFrame, EndFrame } from '../frames/lifecycle.ts';

/** Whether a frame of any installed copy of the package ends the conversation. */
export function endsConversation(frame: Frame): frame is EndFrame | CancelFrame {
  return endTrigger(frame) !== undefined;
}

/** The trigger of the deletion behind this frame; `undefined` for all but an EndFrame or a CancelFrame. */
export function endTrigger(value: unknown): 'end' | 'cancel' | undefined {
  const role = roleOf(value);
  return role === 'end' || role === 'cancel' ? role : undefined;
}
