import { type OutputImageRawFrame, SpriteFrame } from '../frames/images.ts';
import { Beat } from './beat.ts';

export interface PictureShowOptions {
  /** Whether each picture is shown once, in its turn; otherwise the last one is shown again and again. */
  readonly isLive: boolean;
  /** Pictures in a second. */
  readonly framerate: number;
  /** Shows a picture; never rejects. */
  readonly write: (image: OutputImageRawFrame) => Promise<boolean>;
  /** A frame is shown for the first time. */
  readonly shown: (frame: OutputImageRawFrame | SpriteFrame) => void;
}

/** Shows pictures by the clock, as a film or as one that stays. Without pictures it does nothing. */
export class PictureShow {
  readonly #options: PictureShowOptions;
  readonly #beat: Beat;
  /** Of a film, what is still to be shown; otherwise what is shown over and over. */
  #images: readonly OutputImageRawFrame[] = [];
  /** Which picture is next, where they are shown over and over. */
  #next = 0;
  #isOn = false;
  #showing: Promise<void> = Promise.resolve();

  constructor(options: PictureShowOptions) {
    this.#options = options;
    this.#beat = new Beat({ periodMs: 1_000 / options.framerate });
  }

  show(frame: OutputImageRawFrame | SpriteFrame): void {
    const images = frame instanceof SpriteFrame ? frame.images : [frame];
    if (this.#options.isLive) this.#images = [...this.#images, ...images];
    else this.#replaceBy(frame, images);
    if (this.#isOn) return;
    this.#isOn = true;
    this.#showing = this.#run();
  }

  /** Forgets the rest of a film, except for pictures that must not be interrupted. */
  interrupt(): void {
    if (this.#options.isLive) this.#images = this.#images.filter((image) => image.uninterruptible);
  }

  /** Resolves when a film is over; at once where the last picture stays. */
  async whenOver(): Promise<void> {
    if (this.#options.isLive) await this.#showing;
  }

  /** Shows nothing any more. */
  stop(): void {
    this.#images = [];
    this.#beat.skip();
  }

  #replaceBy(frame: OutputImageRawFrame | SpriteFrame, images: readonly OutputImageRawFrame[]): void {
    this.#images = images;
    this.#next = 0;
    this.#beat.restart();
    this.#options.shown(frame);
  }

  async #run(): Promise<void> {
    while (this.#images.length > 0) {
      await this.#beat.next();
      const image = this.#take();
      if (image === undefined) continue;
      const isShown = await this.#options.write(image);
      if (isShown && this.#options.isLive) this.#options.shown(image);
    }
    this.#isOn = false;
  }

  #take(): OutputImageRawFrame | undefined {
    if (this.#options.isLive) {
      const [image, ...rest] = this.#images;
      this.#images = rest;
      return image;
    }
    const image = this.#images[this.#next % this.#images.length];
    this.#next += 1;
    return image;
  }
}
