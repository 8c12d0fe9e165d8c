/** The recognition of one voice: its audio, its connection, and what happens when that fails. */

import type { AudioChunk, InputAudioRawFrame } from '../../frames/audio.ts';
import { iterateBounded } from './service-call.ts';

/** What a recognition says. */
export type STTPart =
  /** May still change; replaced by the next part. */
  | { readonly type: 'interim'; readonly text: string }
  /** Final. `finalized`: nothing more will come of this utterance. `language` is a BCP 47 tag. */
  | {
      readonly type: 'final';
      readonly text: string;
      readonly language?: string | undefined;
      readonly finalized?: boolean | undefined;
    };

/** The recognition of one voice. */
export interface VoiceRecognition {
  /** Adds audio. */
  push(frame: InputAudioRawFrame): void;
  /** The voice has started or stopped speaking. */
  speaks(isSpeaking: boolean): void;
  /** No more audio will come. */
  end(): void;
  /** Ends it at once. */
  abort(): void;
  /** After `end()`: resolves when nothing more will be recognized. Never rejects. */
  readonly done: Promise<unknown>;
}

/** What a {@link VoiceStream} needs. */
export interface VoiceStreamOptions {
  /** Audio older than this is dropped, in milliseconds. */
  readonly maxBacklogMs: number;
  readonly transcribe: (audio: AsyncIterable<AudioChunk>, signal: AbortSignal) => AsyncIterable<STTPart>;
  /** Takes a part, and the audio since the last final one, in milliseconds. */
  readonly take: (part: STTPart, audioMs: number) => void;
  /** @returns Whether to try again. */
  readonly failed: (error: unknown) => boolean;
  /** Called once. */
  readonly dropped: () => void;
}

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** Recognizes from its first audio on; a connection that fails is made again, with the audio kept meanwhile. */
export class VoiceStream implements VoiceRecognition {
  readonly #options: VoiceStreamOptions;
  readonly #controller = new AbortController();
  #chunks: InputAudioRawFrame[] = [];
  #backlogMs = 0;
  #usageMs = 0;
  #hasEnded = false;
  #hasDropped = false;
  #wake: () => void = () => {};
  /** Resolves when the recognition is over; never rejects. */
  readonly done: Promise<void>;

  constructor(options: VoiceStreamOptions) {
    this.#options = options;
    this.done = this.#run();
  }

  /** Adds audio; drops the oldest where there is too much. */
  push(frame: InputAudioRawFrame): void {
    if (this.#hasEnded || this.#controller.signal.aborted) return;
    this.#chunks.push(frame);
    this.#backlogMs += frame.durationMs;
    while (this.#backlogMs > this.#options.maxBacklogMs && this.#chunks.length > 1) {
      this.#backlogMs -= this.#chunks.shift()?.durationMs ?? 0;
      if (!this.#hasDropped) this.#options.dropped();
      this.#hasDropped = true;
    }
    this.#wake();
  }

  /** No more audio will come. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Ends it at once. */
  abort(): void {
    this.#controller.abort();
    this.#wake();
  }

  speaks(): void {}

  async #run(): Promise<void> {
    const { signal } = this.#controller;
    // the first audio is pushed after the construction
    await Promise.resolve();
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const parts = this.#options.transcribe(this.#audio(), signal);
        for await (const part of iterateBounded(parts, { signal, silenceMs: null })) {
          pauseMs = firstPauseMs;
          this.#options.take(part, this.#usageMs);
          if (part.type === 'final') this.#usageMs = 0;
        }
        if (this.#hasEnded) return;
      } catch (error) {
        if (signal.aborted || !this.#options.failed(error) || this.#hasEnded) return;
      }
      await this.#pause(pauseMs);
    }
  }

  async *#audio(): AsyncGenerator<AudioChunk> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      const frame = this.#chunks.shift();
      if (frame !== undefined) {
        this.#backlogMs -= frame.durationMs;
        this.#usageMs += frame.durationMs;
        yield frame;
      } else if (this.#hasEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#controller.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}
