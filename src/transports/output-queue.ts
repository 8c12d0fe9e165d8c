import { OutputAudioRawFrame } from '../frames/audio.ts';
import type { Frame } from '../frames/frame.ts';

/** What an output queue does with its frames. */
export interface OutputQueueActions {
  /** Plays a chunk; resolves when the next one may come, with whether this one was played. */
  play(chunk: OutputAudioRawFrame): Promise<boolean>;
  /** Acts on any other frame when its turn has come. */
  deliver(frame: Frame): void | Promise<void>;
  /** A chunk was played. */
  played(chunk: OutputAudioRawFrame): void;
  /** A chunk was being played when the queue was cleared, so it may have got past the clearing. */
  cut(): void;
  /** One of these went wrong; the queue goes on. */
  failed(error: unknown): void;
  /** There was something, and now there is nothing. */
  ranEmpty(): void;
}

/**
 * One ordered queue of sound and everything else: what stands behind sound waits until it is played.
 *
 * One frame is worked on at a time. Without sound ahead of it a frame is delivered in the same breath.
 */
export class OutputQueue {
  readonly #actions: OutputQueueActions;
  #frames: Frame[] = [];
  #next = 0;
  #current: Frame | undefined;
  /** Whether the current frame was dropped by a clearing. */
  #currentCut = false;
  #waiters: (() => void)[] = [];

  constructor(actions: OutputQueueActions) {
    this.#actions = actions;
  }

  get isEmpty(): boolean {
    return this.#current === undefined && this.#next === this.#frames.length;
  }

  add(frame: Frame): void {
    this.#frames.push(frame);
    if (this.#current === undefined) this.#goOn();
  }

  /** Drops what waits, and the chunk that is being played; uninterruptible frames stay. */
  clear(): void {
    this.drop((frame) => !frame.uninterruptible);
  }

  /** Drops everything. */
  clearAll(): void {
    this.drop(() => true);
  }

  /** Drops some of what waits, and the chunk that is being played where it is one of them. */
  drop(goes: (frame: Frame) => boolean): void {
    this.#frames = this.#frames.slice(this.#next).filter((frame) => !goes(frame));
    this.#next = 0;
    if (this.#current !== undefined && goes(this.#current)) this.#currentCut = true;
  }

  /** Resolves when nothing is left. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Works off frames as long as they need no waiting. */
  #goOn(): void {
    for (let frame = this.#shift(); frame !== undefined; frame = this.#shift()) {
      const pending = this.#start(frame);
      if (pending !== undefined) {
        const goOn = (): void => {
          this.#current = undefined;
          this.#currentCut = false;
          this.#goOn();
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
    // what was played must not stay in memory behind a long speech
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
