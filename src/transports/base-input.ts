import { InputAudioRawFrame, InputTransportStartAudioStreamingFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { InputImageRawFrame } from '../frames/images.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { FilledTransportParams } from './transport-params.ts';

/**
 * The way into a pipeline, for any media server: a subclass connects in `setup()`, calls
 * {@link pushAudioFrame} and {@link pushVideoFrame} with what it hears and sees, and leaves in {@link leave}.
 *
 * Nothing is pushed before the StartFrame has gone on, nor after an End, Stop or Cancel frame has come; a next
 * run's StartFrame opens it again. An {@link InputAudioRawFrame} from the neighbour is treated as heard. With
 * `audioInStreamOnStart: false` sound begins with an {@link InputTransportStartAudioStreamingFrame}, which is kept.
 *
 * @see Pipecat `transports/base_input.py`, `BaseInputTransport`; differs in that nothing is queued here.
 */
export abstract class BaseInputTransport extends FrameProcessor {
  protected readonly params: FilledTransportParams;
  #sampleRate = 0;
  #open = false;
  #streams = false;

  constructor(params: FilledTransportParams, options?: FrameProcessorOptions) {
    super(options);
    this.params = params;
  }

  /** Of the sound that goes down the pipeline, in hertz; known from `setup()` on. */
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

  /** Sends what was heard down the pipeline; dropped while the input is closed or audio in is off. */
  protected pushAudioFrame(frame: InputAudioRawFrame): void {
    const { audioInEnabled, audioInPassthrough } = this.params;
    if (this.#open && this.#streams && audioInEnabled && audioInPassthrough) this.push(frame);
  }

  /** Sends what was seen down the pipeline; dropped while the input is closed or video in is off. */
  protected pushVideoFrame(frame: InputImageRawFrame): void {
    if (this.#open && this.params.videoInEnabled) this.push(frame);
  }

  /** The StartFrame has gone on: frames may be pushed from now on. */
  protected started(): void {}

  /** Lets go of the connection; may be called more than once, must not throw. */
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
