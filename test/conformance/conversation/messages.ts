/** Messages of a context in the notation of `conversation-traces/README.md`, section 2, and back. */

import {
  CANCELLED,
  COMPLETED,
  EMPTY_TURN,
  FUNCTION_FAILED,
  RUNNING,
  UNKNOWN_FUNCTION,
} from '../../../src/conversation/tool-messages.ts';
import type { LLMMessage, LLMToolCall } from '../../../src/frames/llm.ts';
import type { CallSpec, Message, OwnMessage, ToolState } from './scenario.ts';

/** What a tool message says in each state. */
const wordings: Readonly<Record<ToolState, string>> = {
  running: RUNNING,
  cancelled: CANCELLED,
  done: COMPLETED,
  failed: FUNCTION_FAILED,
  unknown: UNKNOWN_FUNCTION,
};

/** The states of the messages about calls that outlived something said since. */
const lateStatuses = { lateResult: 'finished', lateCancel: 'cancelled', progress: 'progress' } as const;

/** Makes a message of the context. */
export function makeMessage(message: Message): LLMMessage {
  if (message.calls !== undefined) {
    return { role: 'assistant', tool_calls: (message.calls as readonly CallSpec[]).map(makeCall) };
  }
  if (message.tool !== undefined) {
    const { tool, state, result } = message;
    const content = state === undefined ? JSON.stringify(result) : wordings[state as ToolState];
    return { role: 'tool', tool_call_id: tool, content };
  }
  const [role, content] = Object.entries(message)[0] as [string, unknown];
  return {
    role,
    content: typeof content === 'string' ? content : ownContent(content as OwnMessage),
  } as LLMMessage;
}

/** Reads the messages of a context: one for each call, its tool message behind it. */
export function readMessages(messages: readonly LLMMessage[]): Message[] {
  return splitCalls(messages.flatMap(readMessage));
}

/** Splits messages with several calls; `calls a, b · tool a · tool b` becomes `calls a · tool a · calls b · tool b`. */
export function splitCalls<M>(messages: readonly M[]): M[] {
  const split: M[] = [];
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index] as M;
    const calls = callsOf(message);
    if (calls.length < 2) {
      split.push(message);
      continue;
    }
    const answers = new Map<unknown, M>();
    for (; isAnswerTo(calls, messages[index + 1]); index += 1) {
      const answer = messages[index + 1] as M;
      answers.set((answer as Message).tool, answer);
    }
    for (const call of calls) {
      split.push({ calls: [call] } as M);
      const answer = answers.get(call.id);
      if (answer !== undefined) split.push(answer);
    }
  }
  return split;
}

function callsOf(message: unknown): readonly CallSpec[] {
  const calls = typeof message === 'object' && message !== null ? (message as Message).calls : undefined;
  return Array.isArray(calls) ? calls : [];
}

function isAnswerTo(calls: readonly CallSpec[], message: unknown): boolean {
  const id = typeof message === 'object' && message !== null ? (message as Message).tool : undefined;
  return id !== undefined && calls.some((call) => call.id === id);
}

function makeCall({ id, name, arguments: input = {} }: CallSpec): LLMToolCall {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function ownContent({ kind, id, result }: OwnMessage): string {
  if (kind === 'emptyTurn') return EMPTY_TURN;
  return JSON.stringify({ type: 'async_tool', tool_call_id: id, status: lateStatuses[kind], result });
}

/** The text of an answer and its calls are two messages. */
function readMessage(message: LLMMessage): Message[] {
  const { role, content } = message;
  if (role === 'tool') return [readToolMessage(message.tool_call_id, content)];
  if (role === 'developer') return [{ developer: readOwnMessage(content) ?? content }];
  const calls = (role === 'assistant' ? message.tool_calls : undefined)?.map(readCall) ?? [];
  const hasText = calls.length === 0 || (content !== undefined && content !== null && content !== '');
  return [...(hasText ? [{ [role]: content }] : []), ...(calls.length > 0 ? [{ calls }] : [])];
}

function readCall({ id, function: { name, arguments: input } }: LLMToolCall): CallSpec {
  return { id, name, arguments: parse(input) as Record<string, unknown> };
}

function readToolMessage(tool: string, content: unknown): Message {
  const state = Object.keys(wordings).find((one) => wordings[one as ToolState] === content);
  return state === undefined ? { tool, result: parse(content) } : { tool, state };
}

function readOwnMessage(content: unknown): OwnMessage | undefined {
  if (content === EMPTY_TURN) return { kind: 'emptyTurn' };
  const parsed = parse(content);
  if (typeof parsed !== 'object' || parsed === null || !('type' in parsed)) return undefined;
  const { type, tool_call_id: id, status, ...rest } = parsed as Record<string, unknown>;
  const kinds = Object.keys(lateStatuses) as (keyof typeof lateStatuses)[];
  const kind = kinds.find((one) => lateStatuses[one] === status);
  if (type !== 'async_tool' || kind === undefined) return undefined;
  return { kind, id: String(id), ...('result' in rest ? { result: rest.result } : {}) };
}

/** What JSON says, or the text itself where it is none. */
function parse(content: unknown): unknown {
  try {
    return JSON.parse(String(content));
  } catch {
    return content;
  }
}
