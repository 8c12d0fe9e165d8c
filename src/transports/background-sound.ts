import { Beat } from './beat.ts';

export interface BackgroundSoundOptions {
  /** Length of what is written at once. */
  readonly periodMs: number;
  /** Writes a piece of background; never rejects. */
  readonly write: () => Promise<unknown>;
}

/**
 * What is heard while nothing is said: written piece by piece, by the clock.
 *
 * The clock keeps it from filling a media server's buffer, behind which the next word would have to wait, and from
 * never letting go of the event loop where writing takes no time.
 */
export class BackgroundSound {
  readonly #write: () => Promise<unknown>;
  readonly #beat: Beat;
  #isOn = false;
  #playing: Promise<void> = Promise.resolve();

  constructor({ periodMs, write }: BackgroundSoundOptions) {
    this.#write = write;
    this.#beat = new Beat({ periodMs, aheadMs: periodMs });
  }

  play(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#beat.restart();
    this.#playing = this.#playing.then(() => this.#play());
  }

  /** Resolves when no piece is being written any more. */
  pause(): Promise<void> {
    this.#isOn = false;
    this.#beat.skip();
    return this.#playing;
  }

  /** What was written and not heard yet was forgotten: the next piece is due now. */
  cleared(): void {
    this.#beat.restart();
  }

  async #play(): Promise<void> {
    while (this.#isOn) {
      await this.#beat.next();
      if (this.#isOn) await this.#write();
    }
  }
}
