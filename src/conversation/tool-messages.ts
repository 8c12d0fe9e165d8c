/** The texts that the aggregators write into the conversation themselves. */

import type { LLMMessage } from '../frames/llm.ts';

/** Content of a tool message: the call has no result yet. */
export const RUNNING = 'IN_PROGRESS';
/** Content of a tool message: the call was given up. */
export const CANCELLED = 'CANCELLED';
/** Content of a tool message: the function has returned nothing. */
export const COMPLETED = 'COMPLETED';
/** Content of a tool message: the function has thrown; why is none of the model's business. */
export const FUNCTION_FAILED = 'The function failed and gave no result.';
/** Content of a tool message: the model made the function up. */
export const UNKNOWN_FUNCTION = 'There is no function of this name.';
/** Content of the developer message for a turn without words that has interrupted the bot. */
export const EMPTY_TURN =
  'The user made a sound that interrupted you, and no words were recognized. Ask in a few words what they said.';

/** How a call of which the conversation has moved on is told about. */
export type LateCallStatus = 'finished' | 'cancelled' | 'progress';

/**
 * Makes a developer message about a call that is not answered in its place: the conversation has moved on.
 *
 * @param result JSON, or {@link COMPLETED}.
 */
export function lateCallMessage(toolCallId: string, status: LateCallStatus, result?: unknown): LLMMessage {
  const fields = { type: 'async_tool', tool_call_id: toolCallId, status, result };
  return { role: 'developer', content: JSON.stringify(fields) };
}

/** The id of the call that a message of {@link lateCallMessage} is about; `undefined` for any other message. */
export function lateCallOf({ role, content }: LLMMessage): string | undefined {
  if (role !== 'developer' || typeof content !== 'string' || !content.startsWith('{"type":"async_tool"')) {
    return undefined;
  }
  const { tool_call_id } = JSON.parse(content) as { tool_call_id: string };
  return tool_call_id;
}

/** The result of a call as the content of a message: JSON, {@link COMPLETED} for nothing, the texts above as they are. */
export function resultContent(result: unknown): string {
  if (result === FUNCTION_FAILED || result === UNKNOWN_FUNCTION) return result;
  return result === undefined || result === null ? COMPLETED : (JSON.stringify(result) ?? COMPLETED);
}
