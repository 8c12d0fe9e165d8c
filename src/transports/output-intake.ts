import { OutputAudioRawFrame } from '../frames/audio.ts';
import { copyFrame, type Frame } from '../frames/frame.ts';

/** Bringing a minute to another rate takes about 60 ms: with longer pieces the event loop would stand still. */
const longestMs = 1_000;

export interface OutputIntakeActions {
  /** Takes a frame; sound is at most a second long. */
  take(frame: Frame): void;
  /** It could not be taken. */
  failed(error: unknown): void;
}

/** Hands frames on in order: at once, but for long sound and what is behind it: a second in each turn of the event loop. */
export class OutputIntake {
  readonly #actions: OutputIntakeActions;
  #waiting: Frame[] = [];
  #next = 0;
  #turn: ReturnType<typeof setImmediate> | undefined;
  #waiters: (() => void)[] = [];

  constructor(actions: OutputIntakeActions) {
    this.#actions = actions;
  }

  get isEmpty(): boolean {
    return this.#next === this.#waiting.length;
  }

  /** @throws {unknown} Why a frame that is handed on at once could not be taken. */
  add(frame: Frame): void {
    const isLong = frame instanceof OutputAudioRawFrame && frame.durationMs > longestMs;
    if (this.isEmpty && !isLong) {
      this.#actions.take(frame);
      return;
    }
    for (const piece of isLong ? piecesOf(frame) : [frame]) this.#waiting.push(piece);
    this.#goOn();
  }

  /** Drops some of what waits. */
  drop(goes: (frame: Frame) => boolean): void {
    this.#waiting = this.#waiting.slice(this.#next).filter((frame) => !goes(frame));
    this.#next = 0;
  }

  /** Resolves when nothing waits. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty && this.#turn === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #goOn(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#takeOne();
      if (!this.isEmpty) return this.#goOn();
      this.#waiting = [];
      this.#next = 0;
      for (const done of this.#waiters.splice(0)) done();
    });
  }

  #takeOne(): void {
    const frame = this.#waiting[this.#next];
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
  const length = (longestMs / 1_000) * sampleRate * numChannels;
  for (let at = 0; at < audio.length; at += length) {
    yield Object.assign(copyFrame(frame), { audio: audio.subarray(at, at + length) });
  }
}
