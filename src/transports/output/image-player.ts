/** Plays images at a frame rate, as a video or as a still that is repeated. */

import { type OutputImageRawFrame, SpriteFrame } from '../../frames/images.ts';
import { Pacer } from './pacer.ts';

/** How an {@link ImagePlayer} plays. */
export interface ImagePlayerOptions {
  /** True: each image is shown once, in order. False: the latest image or sprite is repeated. */
  readonly isLive: boolean;
  /** Images per second. */
  readonly framerate: number;
  /** Shows an image; never rejects. */
  readonly write: (image: OutputImageRawFrame) => Promise<boolean>;
  /** Called when a frame is shown for the first time. */
  readonly shown: (frame: OutputImageRawFrame | SpriteFrame) => void;
}

/** Plays images by the clock; idle while there are none. */
export class ImagePlayer {
  readonly #options: ImagePlayerOptions;
  readonly #pacer: Pacer;
  /** Live: the queue. Otherwise: the images that are repeated. */
  #images: readonly OutputImageRawFrame[] = [];
  /** Index of the next image that is repeated. */
  #next = 0;
  #isOn = false;
  #playing: Promise<void> = Promise.resolve();

  constructor(options: ImagePlayerOptions) {
    this.#options = options;
    this.#pacer = new Pacer({ periodMs: 1_000 / options.framerate });
  }

  /** Live: appends the images. Otherwise: replaces the images that are repeated. */
  show(frame: OutputImageRawFrame | SpriteFrame): void {
    const images = frame instanceof SpriteFrame ? frame.images : [frame];
    if (this.#options.isLive) this.#images = [...this.#images, ...images];
    else this.#replace(frame, images);
    if (this.#isOn) return;
    this.#isOn = true;
    this.#playing = this.#run();
  }

  /** Live: drops the queue, except for uninterruptible images. */
  interrupt(): void {
    if (this.#options.isLive) this.#images = this.#images.filter((image) => image.uninterruptible);
  }

  /** Resolves when the queue has been played; at once where images are repeated. */
  async waitForPlayout(): Promise<void> {
    if (this.#options.isLive) await this.#playing;
  }

  /** Shows nothing any more. */
  stop(): void {
    this.#images = [];
    this.#pacer.skip();
  }

  #replace(frame: OutputImageRawFrame | SpriteFrame, images: readonly OutputImageRawFrame[]): void {
    this.#images = images;
    this.#next = 0;
    this.#pacer.restart();
    this.#options.shown(frame);
  }

  async #run(): Promise<void> {
    while (this.#images.length > 0) {
      await this.#pacer.next();
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
