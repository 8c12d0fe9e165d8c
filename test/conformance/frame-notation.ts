/** Frames in the notation of `traces/README.md`, section 4: to make, to match, and recorded. */

import { isDeepStrictEqual } from 'node:util';
import { ErrorFrame, type Named } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection, FrameKind } from '../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import {
  CancelFrame,
  CancelTaskFrame,
  EndFrame,
  EndTaskFrame,
  StartFrame,
  StopFrame,
  StopTaskFrame,
} from '../../src/frames/lifecycle.ts';
import { LLMFullResponseEndFrame, LLMFullResponseStartFrame, LLMTextFrame } from '../../src/frames/llm.ts';
import { OutputTransportMessageFrame, OutputTransportMessageUrgentFrame } from '../../src/frames/messages.ts';
import type { FrameClass } from '../../src/frames/of-frame.ts';
import {
  FrameProcessorPauseFrame,
  FrameProcessorPauseUrgentFrame,
  FrameProcessorResumeFrame,
  FrameProcessorResumeUrgentFrame,
} from '../../src/frames/pause.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  STTMuteFrame,
  TTSSpeakFrame,
  TTSStartedFrame,
  TTSStoppedFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { InputTextRawFrame, TextFrame, TranscriptionFrame } from '../../src/frames/text.ts';
import type { FrameRecord, FrameSpec, FramesSpec, Matcher, RecordedSpec, SeriesSpec } from './scenario.ts';

/** How the notation names a processor; one that was not built is known by its name alone. */
export type FindProcessor = (name: string) => Named;

type Fields = Readonly<Record<string, unknown>>;

interface Entry {
  readonly frameClass: FrameClass;
  readonly kind: FrameKind;
  /** Section 3: what is compared, besides the fields that every frame has. */
  readonly fields: readonly string[];
  readonly make: (fields: Fields, find: FindProcessor) => Frame;
}

function entry(
  frameClass: FrameClass,
  kind: FrameKind,
  fields: readonly string[],
  make: Entry['make'],
): [string, Entry] {
  return [frameClass.name, { frameClass, kind, fields, make }];
}

const text = (fields: Fields): string => String(fields.text ?? '');
const reason = (fields: Fields): [reason?: string] =>
  typeof fields.reason === 'string' ? [fields.reason] : [];
const processor = (fields: Fields, find: FindProcessor): Named => find(String(fields.processor));

const vocabulary: ReadonlyMap<string, Entry> = new Map([
  entry(StartFrame, 'system', [], () => new StartFrame()),
  entry(EndFrame, 'control', ['reason'], (fields) => new EndFrame(...reason(fields))),
  entry(StopFrame, 'control', [], () => new StopFrame()),
  entry(CancelFrame, 'system', ['reason'], (fields) => new CancelFrame(...reason(fields))),
  entry(EndTaskFrame, 'control', ['reason'], (fields) => new EndTaskFrame(...reason(fields))),
  entry(StopTaskFrame, 'control', [], () => new StopTaskFrame()),
  entry(CancelTaskFrame, 'system', ['reason'], (fields) => new CancelTaskFrame(...reason(fields))),
  entry(InterruptionTaskFrame, 'system', [], () => new InterruptionTaskFrame()),
  entry(InterruptionFrame, 'system', [], () => new InterruptionFrame()),
  entry(
    ErrorFrame,
    'system',
    ['error', 'processor'],
    (fields, find) =>
      new ErrorFrame({
        error: fields.error,
        processor: fields.processor === undefined ? undefined : processor(fields, find),
      }),
  ),
  entry(UserStartedSpeakingFrame, 'system', [], () => new UserStartedSpeakingFrame()),
  entry(UserStoppedSpeakingFrame, 'system', [], () => new UserStoppedSpeakingFrame()),
  entry(BotStartedSpeakingFrame, 'system', [], () => new BotStartedSpeakingFrame()),
  entry(BotStoppedSpeakingFrame, 'system', [], () => new BotStoppedSpeakingFrame()),
  entry(STTMuteFrame, 'system', ['mute'], (fields) => new STTMuteFrame(fields.mute === true)),
  entry(InputTextRawFrame, 'system', ['text'], (fields) => new InputTextRawFrame(text(fields))),
  entry(
    OutputTransportMessageUrgentFrame,
    'system',
    ['message'],
    (fields) => new OutputTransportMessageUrgentFrame(fields.message),
  ),
  entry(
    FrameProcessorPauseUrgentFrame,
    'system',
    ['processor'],
    (fields, find) => new FrameProcessorPauseUrgentFrame(processor(fields, find)),
  ),
  entry(
    FrameProcessorResumeFrame,
    'system',
    ['processor'],
    (fields, find) => new FrameProcessorResumeFrame(processor(fields, find)),
  ),
  entry(
    FrameProcessorResumeUrgentFrame,
    'system',
    ['processor'],
    (fields, find) => new FrameProcessorResumeUrgentFrame(processor(fields, find)),
  ),
  entry(
    FrameProcessorPauseFrame,
    'control',
    ['processor'],
    (fields, find) => new FrameProcessorPauseFrame(processor(fields, find)),
  ),
  entry(TextFrame, 'data', ['text'], (fields) => new TextFrame(text(fields))),
  entry(LLMTextFrame, 'data', ['text'], (fields) => new LLMTextFrame(text(fields))),
  entry(
    TranscriptionFrame,
    'data',
    ['text', 'userId'],
    (fields) => new TranscriptionFrame(text(fields), String(fields.userId ?? '')),
  ),
  entry(TTSSpeakFrame, 'data', ['text'], (fields) => new TTSSpeakFrame(text(fields))),
  entry(
    OutputTransportMessageFrame,
    'data',
    ['message'],
    (fields) => new OutputTransportMessageFrame(fields.message),
  ),
  entry(LLMFullResponseStartFrame, 'control', [], () => new LLMFullResponseStartFrame()),
  entry(LLMFullResponseEndFrame, 'control', [], () => new LLMFullResponseEndFrame()),
  entry(TTSStartedFrame, 'control', [], () => new TTSStartedFrame()),
  entry(TTSStoppedFrame, 'control', [], () => new TTSStoppedFrame()),
]);

function lookUp(className: string): Entry {
  const found = vocabulary.get(className);
  if (found === undefined) throw new Error(`The traces know no frame class "${className}"`);
  return found;
}

/** The class of that name. */
export function frameClassOf(className: string): FrameClass {
  return lookUp(className).frameClass;
}

/** Which lane frames of the class of that name travel in. */
export function kindOf(className: string): FrameKind {
  return lookUp(className).kind;
}

function expandSeries({ series, prefix, count, ...rest }: SeriesSpec): FrameSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    ...rest,
    frame: series,
    text: `${prefix}${index}`,
  }));
}

/** A list with every series written out. */
export function expand(specs: readonly RecordedSpec[]): FrameRecord[] {
  return specs.flatMap((spec) =>
    'series' in spec ? expandSeries(spec as SeriesSpec) : [spec],
  ) as FrameRecord[];
}

function makeFrame(spec: FrameSpec, find: FindProcessor): Frame {
  const frame = lookUp(spec.frame).make(spec, find);
  if (spec.uninterruptible !== undefined) frame.uninterruptible = spec.uninterruptible;
  if (spec.metadata !== undefined) Object.assign(frame.metadata, structuredClone(spec.metadata));
  if (spec.transportDestination !== undefined) frame.transportDestination = spec.transportDestination;
  return frame;
}

/** Makes the frames of the notation, each of them new. */
export function makeFrames(specs: FramesSpec, find: FindProcessor): Frame[] {
  const list = Array.isArray(specs) ? (specs as readonly FrameSpec[]) : [specs as FrameSpec];
  return (expand(list as readonly RecordedSpec[]) as FrameSpec[]).map((spec) => makeFrame(spec, find));
}

/** A new frame of the class and own fields of another, or of the class named, with a longer text. */
export function retag(frame: Frame, prefix = '', className: string = frame.constructor.name): Frame {
  const fields = frame as unknown as Fields;
  return lookUp(className).make({ ...fields, text: prefix + text(fields) }, (name) => ({ name }));
}

function fieldOf(frame: Frame, field: string): unknown {
  const value = (frame as unknown as Fields)[field];
  return field === 'processor' ? (value as Named | undefined)?.name : value;
}

/** Whether a frame that travels that way is meant. */
export function matches(matcher: Matcher, frame: Frame, direction: FrameDirection): boolean {
  if (typeof matcher === 'string') return frame instanceof frameClassOf(matcher);
  if (Array.isArray(matcher)) return matcher.some((one) => matches(one, frame, direction));
  const {
    frame: className,
    direction: wanted,
    ...fields
  } = matcher as Exclude<Matcher, string | readonly Matcher[]>;
  return (
    frame instanceof frameClassOf(className) &&
    (wanted === undefined || wanted === direction) &&
    Object.entries(fields).every(([field, value]) => isDeepStrictEqual(fieldOf(frame, field), value))
  );
}

/** Writes down what the traces tell about a frame. */
export function record(frame: Frame, isNamed: (processorName: string) => boolean): FrameRecord {
  const className = frame.constructor.name;
  const recorded: Record<string, unknown> = { frame: className };
  for (const field of vocabulary.get(className)?.fields ?? []) {
    const value = fieldOf(frame, field);
    if (value === undefined || value === null || (field === 'userId' && value === '')) continue;
    if (field === 'processor' && className === 'ErrorFrame' && !isNamed(String(value))) continue;
    recorded[field] = value;
  }
  if (className !== 'StartFrame') {
    if (Object.keys(frame.metadata).length > 0) recorded.metadata = structuredClone(frame.metadata);
    if (frame.transportDestination !== undefined) {
      recorded.transportDestination = frame.transportDestination;
    }
  }
  if (frame.broadcastSiblingId !== undefined) recorded.broadcast = true;
  return recorded as unknown as FrameRecord;
}

/** Whether every field that is expected is there; `exactly`: and no other one. */
export function fits(expected: FrameRecord, recorded: FrameRecord, exactly: boolean): boolean {
  const { errorContains, ...fields } = expected;
  if (errorContains !== undefined && !String(recorded.error).includes(errorContains)) return false;
  if (!Object.entries(fields).every(([field, value]) => isDeepStrictEqual(recorded[field], value)))
    return false;
  return !exactly || Object.keys(recorded).every((field) => field === 'error' || field in fields);
}
