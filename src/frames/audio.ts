/** Sound on its way in and out: interleaved 16-bit PCM. */

import { ControlFrame, DataFrame, SystemFrame } from './frame.ts';
import { checkAudio } from './frame-checks.ts';

/** A piece of sound. */
export interface AudioChunk {
  /** Interleaved 16-bit PCM; length = samples per channel × channels. No Buffer of bytes. */
  readonly audio: Int16Array;
  /** In hertz: a whole number from 1 000 to 768 000. */
  readonly sampleRate: number;
  /** 1 or more. */
  readonly numChannels: number;
}

/** Sound that a transport heard. A system frame: it is never held up, nor dropped, by an interruption. */
export class InputAudioRawFrame extends SystemFrame implements AudioChunk {
  readonly audio: Int16Array;
  readonly sampleRate: number;
  readonly numChannels: number;

  /** @throws {InvalidOptionError} What is given is no sound: another type of array, part of a sample, an odd rate. */
  constructor(chunk: AudioChunk) {
    super();
    checkAudio(chunk);
    this.audio = chunk.audio;
    this.sampleRate = chunk.sampleRate;
    this.numChannels = chunk.numChannels;
  }

  /** Length in milliseconds. */
  get durationMs(): number {
    return durationMs(this);
  }
}

/** Sound of one participant. */
export class UserAudioRawFrame extends InputAudioRawFrame {
  /** The participant's identity. */
  readonly userId: string;

  constructor(chunk: AudioChunk & { readonly userId: string }) {
    super(chunk);
    this.userId = chunk.userId;
  }
}

/** Asks the input transport to begin with the sound, where it waits for that: see `audioInStreamOnStart`. */
export class InputTransportStartAudioStreamingFrame extends ControlFrame {}

/** Sound to be played, in order. The output transport plays it and then passes it on. */
export class OutputAudioRawFrame extends DataFrame implements AudioChunk {
  static {
    OutputAudioRawFrame.showsActivity('sign');
  }
  readonly audio: Int16Array;
  readonly sampleRate: number;
  readonly numChannels: number;

  /** @throws {InvalidOptionError} What is given is no sound: another type of array, part of a sample, an odd rate. */
  constructor(chunk: AudioChunk) {
    super();
    checkAudio(chunk);
    this.audio = chunk.audio;
    this.sampleRate = chunk.sampleRate;
    this.numChannels = chunk.numChannels;
  }

  /** Length in milliseconds. */
  get durationMs(): number {
    return durationMs(this);
  }
}

/** One sentence being spoken; shared by the frames of its audio, and updated while it is synthesized. */
export interface SpokenSentence {
  /** The text. */
  readonly text: string;
  /** Identifies the answer or the TTSSpeakFrame that the sentence belongs to. */
  readonly contextId: string;
  /** Whether the conversation will contain what is heard of it. */
  readonly appendToContext: boolean;
  /** Whether an interruption leaves it playing. */
  readonly isUninterruptible: boolean;
  /** Whether its words are pushed one by one, as each begins. */
  hasWordTimes: boolean;
  /** Length of the audio so far, in milliseconds. */
  durationMs: number;
  /** Whether all of its audio is there. */
  isComplete: boolean;
}

/** Speech to be played; the output transport derives from these when the bot speaks. */
export class TTSAudioRawFrame extends OutputAudioRawFrame {
  /** The sentence it is a part of; `undefined` where unknown. */
  sentence: SpokenSentence | undefined = undefined;
}

function durationMs({ audio, sampleRate, numChannels }: AudioChunk): number {
  return (audio.length / numChannels / sampleRate) * 1_000;
}
