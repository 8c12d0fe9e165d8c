/** The two queues of a destination: audio that is too long to convert at once, and frames that wait to be played. */

import { OutputAudioRawFrame } from '../../frames/audio.ts';
import { copyFrame, type Frame } from '../../frames/frame.ts';

/** Resampling a minute takes about 60 ms: longer pieces would block the event loop. */
const maxPieceMs = 1_000;

/** Callbacks of an {@link OutputIntake}. */
export interface OutputIntakeActions {
  /** Takes the next frame; audio is 1 s long at most. */
  take(frame: Frame): void;
  /** Called with what `take` threw in a later turn. */
  failed(error: unknown): void;
}

/**
 * Passes frames on in order: synchronously, except for audio longer than 1 s and the frames behind it, of which one
 * piece is passed on per turn of the event loop.
 */
export class OutputIntake {
  readonly #actions: OutputIntakeActions;
  #pending: Frame[] = [];
  #next = 0;
  #turn: ReturnType<typeof setImmediate> | undefined;
  #waiters: (() => void)[] = [];

  constructor(actions: OutputIntakeActions) {
    this.#actions = actions;
  }

  /** Whether nothing is pending. */
  get isEmpty(): boolean {
    return this.#next === this.#pending.length;
  }

  /** @throws {unknown} What `take` throws, for a frame that is passed on synchronously. */
  add(frame: Frame): void {
    const isLong = frame instanceof OutputAudioRawFrame && frame.durationMs > maxPieceMs;
    if (this.isEmpty && !isLong) {
      this.#actions.take(frame);
      return;
    }
    for (const piece of isLong ? piecesOf(frame) : [frame]) this.#pending.push(piece);
    this.#schedule();
  }

  /** Drops the pending frames that match. */
  drop(matches: (frame: Frame) => boolean): void {
    this.#pending = this.#pending.slice(this.#next).filter((frame) => !matches(frame));
    this.#next = 0;
  }

  /** Resolves when nothing is pending. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty && this.#turn === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#takeOne();
      if (!this.isEmpty) return this.#schedule();
      this.#pending = [];
      this.#next = 0;
      for (const done of this.#waiters.splice(0)) done();
    });
  }

  #takeOne(): void {
    const frame = this.#pending[this.#next];
    if (frame === undefined) return;
    this.#next += 1;
    try {
      this.#actions.take(frame);
    } catch (error) {
      this.#actions.failed(error);
    }
  }
}

function* piecesOf(frame: OutputAudioRawFrame): Generator<OutputAudioRawFrame> {
  const { audio, sampleRate, numChannels } = frame;
  const length = (maxPieceMs / 1_000) * sampleRate * numChannels;
  for (let at = 0; at < audio.length; at += length) {
    yield Object.assign(copyFrame(frame), { audio: audio.subarray(at, at + length) });
  }
}

/** Callbacks of an {@link OutputQueue}. */
export interface OutputQueueActions {
  /** Plays a chunk; resolves when the next one is due, with whether this one was played. */
  play(chunk: OutputAudioRawFrame): Promise<boolean>;
  /** Handles any other frame, in order. */
  deliver(frame: Frame): void | Promise<void>;
  /** Called when a chunk was played. */
  played(chunk: OutputAudioRawFrame): void;
  /** Called when a chunk was dropped while it was being played: it may have been written after the clear. */
  cut(): void;
  /** Called with an error of one of these; the queue continues. */
  failed(error: unknown): void;
  /** Called when the queue has become empty. */
  ranEmpty(): void;
}

/**
 * One ordered queue of audio and all other frames: what is behind audio waits until it is played.
 *
 * One frame is handled at a time. Without audio ahead of it a frame is delivered synchronously.
 */
export class OutputQueue {
  readonly #actions: OutputQueueActions;
  #frames: Frame[] = [];
  #next = 0;
  #current: Frame | undefined;
  /** Whether the current frame was dropped while it was handled. */
  #currentCut = false;
  #waiters: (() => void)[] = [];

  constructor(actions: OutputQueueActions) {
    this.#actions = actions;
  }

  /** Whether nothing is queued or being handled. */
  get isEmpty(): boolean {
    return this.#current === undefined && this.#next === this.#frames.length;
  }

  /** Appends a frame. */
  add(frame: Frame): void {
    this.#frames.push(frame);
    if (this.#current === undefined) this.#drain();
  }

  /** Drops the queued frames that match, and the chunk that is being played where it matches. */
  drop(matches: (frame: Frame) => boolean): void {
    this.#frames = this.#frames.slice(this.#next).filter((frame) => !matches(frame));
    this.#next = 0;
    if (this.#current !== undefined && matches(this.#current)) this.#currentCut = true;
  }

  /** Resolves when the queue is empty. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Handles frames until one is asynchronous. */
  #drain(): void {
    for (let frame = this.#shift(); frame !== undefined; frame = this.#shift()) {
      const pending = this.#start(frame);
      if (pending !== undefined) {
        const goOn = (): void => {
          this.#current = undefined;
          this.#currentCut = false;
          this.#drain();
        };
        pending.then(goOn, (error) => {
          this.#actions.failed(error);
          goOn();
        });
        return;
      }
      this.#current = undefined;
    }
    this.#actions.ranEmpty();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
  }

  #shift(): Frame | undefined {
    if (this.#next === this.#frames.length) {
      this.#frames = [];
      this.#next = 0;
      return undefined;
    }
    const frame = this.#frames[this.#next];
    this.#next += 1;
    // releases the chunks that were played, in a long speech
    if (this.#next === 1_024) {
      this.#frames = this.#frames.slice(this.#next);
      this.#next = 0;
    }
    return frame;
  }

  #start(frame: Frame): void | Promise<void> {
    this.#current = frame;
    if (frame instanceof OutputAudioRawFrame) return this.#play(frame);
    try {
      return this.#actions.deliver(frame);
    } catch (error) {
      this.#actions.failed(error);
    }
  }

  async #play(chunk: OutputAudioRawFrame): Promise<void> {
    const played = await this.#actions.play(chunk);
    if (this.#currentCut) this.#actions.cut();
    else if (played) this.#actions.played(chunk);
  }
}
