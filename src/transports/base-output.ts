import { OutputAudioRawFrame, TTSAudioRawFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import { TTSStoppedFrame } from '../frames/text.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { BotSpeech } from './bot-speech.ts';
import { isSentAtOnce, isSentInTurn, type OutputKeys, type OutputMessage } from './outgoing-frames.ts';
import { OutputAudioCutter } from './output-audio-cutter.ts';
import { OutputQueue } from './output-queue.ts';
import { LinearResampler, type StreamResampler } from './stream-resampler.ts';
import type { FilledTransportParams } from './transport-params.ts';

export type { OutputKeys, OutputMessage } from './outgoing-frames.ts';

/**
 * `closed`: before the StartFrame and between two runs. `ending`: an EndFrame plays out, whatever comes.
 * `cancelled`: nothing is played any more.
 */
type Phase = 'closed' | 'open' | 'ending' | 'cancelled';

/**
 * The way out of a pipeline, for any media server: a subclass connects in `setup()`, where it publishes a track of
 * its own for the default destination and for each of `params.audioOutDestinations` and `videoOutDestinations`;
 * it plays chunks of sound in {@link writeAudioFrame}, shows pictures in {@link writeVideoFrame}, and leaves in
 * {@link leave}.
 *
 * Sound is brought to one rate, cut into chunks, and played in order with all other data and control frames:
 * whatever stands behind sound waits for it. A frame goes on downstream when it has been played.
 *
 * Frames in: StartFrame opens it. EndFrame: everything ahead of it is played to the last sample, whatever
 * interrupts; then the transport leaves, then the frame goes on. StopFrame: waits in the same way and stays
 * connected. CancelFrame: leaves at once. InterruptionFrame: droppable frames are forgotten, sound stops.
 * Frames out: BotStartedSpeaking, BotSpeaking and BotStoppedSpeaking frames, in both directions.
 *
 * @see Pipecat `transports/base_output.py`, `BaseOutputTransport`; differs in that a drain cannot be interrupted
 * and that a partial chunk is played at the end.
 */
export abstract class BaseOutputTransport extends FrameProcessor {
  protected readonly params: FilledTransportParams;
  readonly #queue = new OutputQueue({
    play: (chunk) => this.#play(chunk),
    deliver: (frame) => this.#deliver(frame),
    played: (chunk) => this.push(chunk),
    cut: () => void this.#clearAudio(),
    failed: (error) => void this.pushError({ error }),
    ranEmpty: () => this.#speech.ranOut(),
  });
  readonly #speech = new BotSpeech((frameClass) => this.broadcast(frameClass));
  #cutter: OutputAudioCutter | undefined;
  #phase: Phase = 'closed';
  #sampleRate = 0;
  #lastChunk: OutputAudioRawFrame | undefined;
  #writeFails = false;
  #reportProgress: () => void = () => {};

  constructor(params: FilledTransportParams, options?: FrameProcessorOptions) {
    super(options);
    this.params = params;
  }

  /** Of the sound that is written, in hertz; known from `setup()` on. */
  get sampleRate(): number {
    return this.#sampleRate;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    const { audioOutChannels, audioOut10msChunks } = this.params;
    this.#phase = 'closed';
    this.#queue.clearAll();
    this.#reportProgress = setup.reportProgress;
    this.#sampleRate = this.params.audioOutSampleRate ?? setup.audioOutSampleRate;
    this.#cutter?.close();
    this.#cutter = new OutputAudioCutter({
      sampleRate: this.#sampleRate,
      numChannels: audioOutChannels,
      samplesPerChunk: Math.round(this.#sampleRate / 100) * audioOut10msChunks,
      createResampler: (fromHz) => this.createResampler(fromHz, this.#sampleRate, audioOutChannels),
    });
    return super.setup(setup);
  }

  override async cleanup(): Promise<void> {
    this.#phase = 'closed';
    this.#queue.clearAll();
    this.#speech.forget();
    this.#cutter?.close();
    this.#cutter = undefined;
    try {
      await this.leave();
    } finally {
      await super.cleanup();
    }
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame.frameRole === 'interruption') return this.#interrupt(frame, direction);
    if (direction === 'upstream') return this.push(frame, direction);
    switch (frame.frameRole) {
      case 'start':
        this.push(frame);
        this.#phase = 'open';
        return;
      case 'end':
        return this.#end(frame);
      case 'stop':
        return this.#stop(frame);
      case 'cancel':
        return this.#cancel(frame);
      default:
    }
    if (isSentAtOnce(frame)) void this.#send(frame);
    else if (frame.kind === 'system') this.push(frame);
    else this.#enqueue(frame);
  }

  /**
   * Plays a chunk on the track of `chunk.transportDestination`: `undefined` for the default one, otherwise one of
   * `params.audioOutDestinations`. Resolves when the next chunk of this track should come: this is what paces the
   * pipeline. There is one call at a time for each track; those of different tracks overlap.
   *
   * @returns Whether the chunk was played; one that was not does not go on downstream.
   */
  protected abstract writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean>;

  /**
   * Shows a picture on the track of `image.transportDestination`: `undefined` for the default one, otherwise one of
   * `params.videoOutDestinations`. Called as often as `params.videoOutFramerate` says, also for a picture that has
   * not changed; the next one comes when it has resolved. Only called with `params.videoOutEnabled`.
   *
   * @param image As it was pushed: neither its size nor its format are changed.
   * @returns Whether the picture was shown.
   */
  protected writeVideoFrame(_image: OutputImageRawFrame): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Forgets what was written to this track and not played yet; `undefined` is the default one. */
  protected clearAudio(_destination: string | undefined): void {}

  /** Resolves when everything that was written to this track has been played; `undefined` is the default one. */
  protected waitForPlayout(_destination: string | undefined): Promise<void> {
    return Promise.resolve();
  }

  /** Lets go of the connection; may be called more than once, must not throw. */
  protected leave(): Promise<void> {
    return Promise.resolve();
  }

  protected sendMessage(_message: OutputMessage): Promise<void> {
    return Promise.resolve();
  }

  /** Presses the keys of a telephone, one after the other. */
  protected sendKeys(_keys: OutputKeys): Promise<void> {
    return Promise.resolve();
  }

  protected createResampler(fromHz: number, toHz: number, channels: number): StreamResampler {
    return new LinearResampler(fromHz, toHz, channels);
  }

  #enqueue(frame: Frame): void {
    if (frame instanceof OutputAudioRawFrame) {
      if (this.#phase !== 'open' || !this.params.audioOutEnabled) return;
      for (const chunk of this.#cutter?.push(frame) ?? []) this.#queue.add(chunk);
      return;
    }
    if (frame instanceof TTSStoppedFrame) this.#flush();
    this.#queue.add(frame);
  }

  #flush(): void {
    for (const chunk of this.#cutter?.flush() ?? []) this.#queue.add(chunk);
  }

  async #play(chunk: OutputAudioRawFrame): Promise<boolean> {
    if (chunk instanceof TTSAudioRawFrame) this.#speech.heard();
    this.#lastChunk = chunk;
    return this.#write(chunk);
  }

  async #write(chunk: OutputAudioRawFrame): Promise<boolean> {
    try {
      const written = await this.writeAudioFrame(chunk);
      this.#writeFails = false;
      return written;
    } catch (error) {
      // one report for a row of failures: there are 25 chunks in a second
      if (!this.#writeFails) this.pushError({ error });
      this.#writeFails = true;
      return false;
    } finally {
      this.#reportProgress();
    }
  }

  #deliver(frame: Frame): void | Promise<void> {
    if (isSentInTurn(frame)) return this.#send(frame).then(() => this.push(frame));
    if (frame instanceof TTSStoppedFrame) this.#speech.stop();
    this.push(frame);
  }

  async #send(frame: OutputMessage | OutputKeys): Promise<void> {
    try {
      if ('buttons' in frame) await this.sendKeys(frame);
      else await this.sendMessage(frame);
    } catch (error) {
      this.pushError({ error });
    }
  }

  /** A subclass that cannot forget sound must not keep the frame that asked for it. */
  async #clearAudio(): Promise<void> {
    try {
      await this.clearAudio(undefined);
    } catch (error) {
      this.pushError({ error });
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.leave();
    } catch (error) {
      this.pushError({ error });
    }
  }

  #interrupt(frame: Frame, direction: FrameDirection): void {
    const isOpen = this.#phase === 'open';
    if (isOpen) {
      this.#queue.clear();
      this.#cutter?.clear();
      if (this.#lastChunk?.uninterruptible !== true) void this.#clearAudio();
    }
    this.push(frame, direction);
    if (isOpen) this.#speech.stop();
  }

  async #end(frame: Frame): Promise<void> {
    this.#flush();
    this.#phase = 'ending';
    await this.#queue.whenEmpty();
    await this.#playSilence();
    await this.waitForPlayout(undefined);
    this.#speech.stop();
    await this.leave();
    this.push(frame);
  }

  async #playSilence(): Promise<void> {
    const { audioOutEnabled, audioOutChannels, audioOut10msChunks, endSilenceMs } = this.params;
    if (!audioOutEnabled) return;
    const length = Math.round(this.#sampleRate / 100) * audioOut10msChunks * audioOutChannels;
    for (let restMs = endSilenceMs; restMs > 0; restMs -= audioOut10msChunks * 10) {
      if (this.#phase !== 'ending') return;
      const audio = new Int16Array(length);
      const silence = { audio, sampleRate: this.#sampleRate, numChannels: audioOutChannels };
      if (!(await this.#write(new OutputAudioRawFrame(silence)))) return;
    }
  }

  async #stop(frame: Frame): Promise<void> {
    this.#flush();
    await this.#queue.whenEmpty();
    await this.waitForPlayout(undefined);
    this.#speech.stop();
    if (this.#phase === 'open') this.#phase = 'closed';
    this.push(frame);
  }

  #cancel(frame: Frame): void {
    this.#phase = 'cancelled';
    this.#queue.clearAll();
    this.#cutter?.clear();
    void this.#clearAudio();
    this.#speech.forget();
    void this.#leave();
    this.push(frame);
  }
}
