/** Where frames are seen, and which: `conversation-traces/README.md`, section 8. */

import type { Frame, FrameDirection } from '../../../src/frames/frame.ts';
import { FunctionCallsStartedFrame } from '../../../src/frames/function-calls.ts';
import * as frames from '../../../src/frames/llm.ts';
import type { Lane } from './scenario.ts';

/** The processors of the pipeline, in order. */
export const processorNames = ['user', 'llm', 'tts', 'output', 'assistant'] as const;

export type ProcessorName = (typeof processorNames)[number];

/** A frame that left a place. */
export interface Departure {
  /** Such as `output.down`. */
  readonly place: string;
  readonly lane: Lane;
  /** The class without `Frame`. */
  readonly className: string;
  /** The class, and its text or the ids of its calls. */
  readonly entry: string;
  readonly atMs: number;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

const turnClasses = 'UserStartedSpeaking UserStoppedSpeaking Interruption';
const botClasses = 'BotStartedSpeaking BotStoppedSpeaking';
const voiceClasses = `LLMFullResponseStart LLMFullResponseEnd TTSStarted TTSText TTSStopped TTSSpeak
  LLMAssistantPushAggregation FunctionCallInProgress FunctionCallResult Interruption End Cancel`;

/** The classes that are listed, by place; everything else is ignored. */
const classes: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    'user.down': `VADUserStartedSpeaking VADUserStoppedSpeaking ${turnClasses} UserMuteStarted UserMuteStopped
      LLMContext Transcription InterimTranscription LLMRun LLMMessagesAppend LLMMessagesUpdate LLMMessagesTransform
      LLMSetTools ProposedUserStartedSpeaking ProposedUserStoppedSpeaking TTSSpeak End Cancel LLMContextUserTurn`,
    'user.up': `${turnClasses} UserMuteStarted UserMuteStopped LLMContextUserTurn Error`,
    'llm.down': `LLMFullResponseStart LLMFullResponseEnd LLMText FunctionCallsStarted FunctionCallInProgress
      FunctionCallResult FunctionCallCancel TTSSpeak Interruption End Cancel`,
    'tts.down': voiceClasses,
    'output.down': `${voiceClasses} ${botClasses}`,
    'output.up': botClasses,
    'assistant.down': `TTSStarted TTSStopped TTSText LLMFullResponseStart LLMFullResponseEnd ${turnClasses}
      ${botClasses} FunctionCallInProgress FunctionCallResult LLMContextAssistantTurn End Cancel`,
    'assistant.up': 'LLMContext LLMContextAssistantTurn',
  }).map(([place, names]) => [place, new Set(words(names))]),
);

/** Classes that a port need not have. */
const optionalClasses = words('LLMContextUserTurn LLMContextAssistantTurn LLMAssistantPushAggregation');

/** Those that there are none of here. */
export const absentClasses: readonly string[] = optionalClasses.filter((name) => !(`${name}Frame` in frames));

/** With word times these may leave before the last word was played, or be cut with it. */
const unsteadyClasses = words(
  'TTSStopped LLMFullResponseEnd LLMAssistantPushAggregation LLMContextAssistantTurn',
);
const unsteadyPlaces = words('output.down assistant.down');

/** Whether a frame of this class at this place is compared. */
export function isCompared(
  place: string,
  className: string,
  { wordTimes, absent = absentClasses }: { readonly wordTimes: boolean; readonly absent?: readonly string[] },
): boolean {
  if (absent.includes(className)) return false;
  return !wordTimes || !unsteadyPlaces.includes(place) || !unsteadyClasses.includes(className);
}

/** The class of an entry. */
export function classNameOf(entry: string): string {
  return entry.split(':', 1)[0] as string;
}

/** @returns `undefined` for a frame that is not listed there. */
export function departureOf(
  processor: ProcessorName,
  frame: Frame,
  direction: FrameDirection,
): Departure | undefined {
  const place = `${processor}.${direction === 'downstream' ? 'down' : 'up'}`;
  const className = frame.constructor.name.replace(/Frame$/, '');
  if (classes.get(place)?.has(className) !== true) return undefined;
  const lane = frame.kind === 'system' ? 'system' : 'other';
  const detail = detailOf(frame);
  const entry = detail === undefined ? className : `${className}: ${detail}`;
  return { place, lane, className, entry, atMs: performance.now() };
}

function detailOf(frame: Frame): string | undefined {
  if (frame instanceof FunctionCallsStartedFrame) {
    return frame.functionCalls.map(({ toolCallId }) => toolCallId).join(' ');
  }
  const { toolCallId, text } = frame as { readonly toolCallId?: unknown; readonly text?: unknown };
  const detail = toolCallId ?? text;
  return typeof detail === 'string' ? detail : undefined;
}
