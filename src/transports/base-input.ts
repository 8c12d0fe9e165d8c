/** The base class of input transports, for any media server. */

import { InputAudioRawFrame, InputTransportStartAudioStreamingFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { InputImageRawFrame } from '../frames/images.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { ResolvedTransportParams } from './transport-params.ts';

/**
 * The way into a pipeline, for any media server: a subclass connects in `setup()`, calls
 * {@link pushAudioFrame} and {@link pushVideoFrame} with what it receives, and disconnects in {@link leave}.
 *
 * Nothing is pushed before the StartFrame has gone on, nor after an End, Stop or Cancel frame has come; a next
 * run's StartFrame opens it again. An {@link InputAudioRawFrame} that is queued is treated as received. With
 * `audioInStreamOnStart: false` audio begins with an {@link InputTransportStartAudioStreamingFrame}, which is consumed.
 *
 * @see Pipecat `transports/base_input.py`, `BaseInputTransport`; differs in that nothing is queued here.
 */
export abstract class BaseInputTransport extends FrameProcessor {
  /** The parameters, with defaults filled in. */
  protected readonly params: ResolvedTransportParams;
  #sampleRate = 0;
  #open = false;
  #streams = false;

  /** @param params As resolved by `BaseTransport`. */
  constructor(params: ResolvedTransportParams, options?: FrameProcessorOptions) {
    super(options);
    this.params = params;
  }

  /** Of the audio that is pushed, in hertz; known from `setup()` on. */
  get sampleRate(): number {
    return this.#sampleRate;
  }

  /** Whether frames may be pushed: between the StartFrame and the end of the run. */
  protected get isOpen(): boolean {
    return this.#open;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#open = false;
    this.#streams = this.params.audioInStreamOnStart;
    this.#sampleRate = this.params.audioInSampleRate ?? setup.audioInSampleRate;
    return super.setup(setup);
  }

  override async cleanup(): Promise<void> {
    this.#open = false;
    try {
      await this.leave();
    } finally {
      await super.cleanup();
    }
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof InputAudioRawFrame) {
      this.pushAudioFrame(frame);
      return;
    }
    if (direction === 'upstream') {
      this.push(frame, direction);
      return;
    }
    if (frame instanceof InputTransportStartAudioStreamingFrame) {
      this.#streams = true;
      return;
    }
    switch (frame.frameRole) {
      case 'start':
        this.push(frame);
        this.#open = true;
        this.started();
        break;
      case 'end':
      case 'cancel':
        this.#open = false;
        this.push(frame);
        void this.#leave();
        break;
      case 'stop':
        this.#open = false;
        this.push(frame);
        break;
      default:
        this.push(frame);
    }
  }

  /** Pushes audio; dropped while the input is closed or audio in is off. */
  protected pushAudioFrame(frame: InputAudioRawFrame): void {
    const { audioInEnabled, audioInPassthrough } = this.params;
    if (this.#open && this.#streams && audioInEnabled && audioInPassthrough) this.push(frame);
  }

  /** Pushes an image; dropped while the input is closed or video in is off. */
  protected pushVideoFrame(frame: InputImageRawFrame): void {
    if (this.#open && this.params.videoInEnabled) this.push(frame);
  }

  /** Called when the StartFrame has gone on: frames may be pushed from now on. */
  protected started(): void {}

  /** Disconnects; idempotent, must not throw. */
  protected leave(): Promise<void> {
    return Promise.resolve();
  }

  async #leave(): Promise<void> {
    try {
      await this.leave();
    } catch (error) {
      this.pushError({ error });
    }
  }
}
