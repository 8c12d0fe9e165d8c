/** The base class of output transports: plays audio and images and sends DTMF keys, in order, for any media server. */

import { LinearResampler, type StreamResampler } from '../audio/resampler.ts';
import type { OutputAudioRawFrame } from '../frames/audio.ts';
import { type KeypadEntry, OutputDTMFFrame, OutputDTMFUrgentFrame } from '../frames/dtmf.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import { OutputTransportMessageFrame, OutputTransportMessageUrgentFrame } from '../frames/messages.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { MediaSender } from './output/media-sender.ts';
import type { MediaSenderHooks } from './output/media-sender-hooks.ts';
import type { ResolvedTransportParams } from './transport-params.ts';

/** A message, sent in order or at once. */
export type OutputMessage = OutputTransportMessageFrame | OutputTransportMessageUrgentFrame;

/** DTMF keys, sent in order or at once. */
type OutputDTMF = OutputDTMFFrame | OutputDTMFUrgentFrame;

/**
 * The way out of a pipeline, for any media server. A subclass connects in `setup()` and publishes a track for the
 * default destination and for each of `params.audioOutDestinations` and `videoOutDestinations`; it plays chunks of
 * audio in {@link writeAudioFrame}, shows images in {@link writeVideoFrame}, and disconnects in {@link leave}.
 *
 * Each destination has its own order: audio is resampled, cut into chunks, and played in order with all other data
 * and control frames for that `transportDestination`; frames behind audio wait for it. Images are shown at once,
 * those with `syncWithAudio` in order. A frame goes on downstream when it has been played. Frames for an unknown
 * destination are dropped, with one warning.
 *
 * Frames in: StartFrame opens it. EndFrame: everything ahead of it is played to the last sample, uninterruptibly; then
 * the transport leaves, then the frame goes on. StopFrame: drains in the same way and stays connected. CancelFrame:
 * leaves at once. InterruptionFrame: droppable frames are dropped, audio stops; one with a `transportDestination`
 * interrupts only that. MixerControlFrame: goes to the destination's mixer, at once.
 * Frames out: BotStartedSpeaking, BotSpeaking and BotStoppedSpeaking frames, in both directions.
 *
 * @see Pipecat `transports/base_output.py`, `BaseOutputTransport`; differs in that a drain cannot be interrupted,
 * that a partial chunk is played at the end, that an interruption reaches all destinations, and that a mixer alone
 * sends nothing downstream.
 */
export abstract class BaseOutputTransport extends FrameProcessor {
  /** The parameters, with defaults filled in. */
  protected readonly params: ResolvedTransportParams;
  readonly #hooks: MediaSenderHooks = {
    writeAudioFrame: (chunk) => this.writeAudioFrame(chunk),
    writeVideoFrame: (image) => this.writeVideoFrame(image),
    clearAudio: (destination) => this.clearAudio(destination),
    waitForPlayout: (destination) => this.waitForPlayout(destination),
    createResampler: (fromHz) => this.createResampler(fromHz, this.#sampleRate, this.params.audioOutChannels),
    deliver: (frame) => this.#deliver(frame),
    push: (frame) => this.push(frame),
    broadcast: (frame) => this.broadcastFrame(frame),
    failed: (error) => this.pushError({ error }),
    isOff: (option) =>
      this.#warnOnce(
        option,
        { hint: `params: { ${option}: true }` },
        `frames are dropped, as ${option} is off`,
      ),
    progressed: () => this.#reportProgress(),
  };
  readonly #senders = new Map<string | undefined, MediaSender>();
  /** Keys of the warnings logged in this run. */
  readonly #warned = new Set<string>();
  #dtmf: DTMFSender;
  #sampleRate = 0;
  #reportProgress: () => void = () => {};

  /** @param params As resolved by `BaseTransport`. */
  constructor(params: ResolvedTransportParams, options?: FrameProcessorOptions) {
    super(options);
    this.params = params;
    this.#dtmf = this.#newDTMFSender();
  }

  /** Of the audio that is written, in hertz; known from `setup()` on. */
  get sampleRate(): number {
    return this.#sampleRate;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#reportProgress = setup.reportProgress;
    this.#sampleRate = this.params.audioOutSampleRate ?? setup.audioOutSampleRate;
    this.#closeSenders();
    this.#dtmf = this.#newDTMFSender();
    const { audioOutDestinations, videoOutDestinations } = this.params;
    for (const destination of new Set([undefined, ...audioOutDestinations, ...videoOutDestinations])) {
      this.#senders.set(destination, this.#newSender(destination));
    }
    return super.setup(setup);
  }

  override async cleanup(): Promise<void> {
    this.#closeSenders();
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
        for (const sender of this.#senders.values()) sender.start();
        return;
      case 'end':
        return this.#end(frame);
      case 'stop':
        return this.#stop(frame);
      case 'cancel':
        return this.#cancel(frame);
      default:
    }
    if (frame instanceof OutputTransportMessageUrgentFrame || frame instanceof OutputDTMFUrgentFrame) {
      void this.#send(frame);
    } else if (frame.kind === 'system') this.push(frame);
    else {
      const sender = this.#senderFor(frame);
      // pushed on by the sender, in order
      if (sender !== undefined) this.holdFrame(frame);
      sender?.queueFrame(frame);
    }
  }

  /**
   * Plays a chunk on the track of `chunk.transportDestination`: `undefined` for the default one, otherwise one of
   * `params.audioOutDestinations`. Resolves when the next chunk of this track is due: this paces the pipeline. Calls
   * for one track are sequential; those for different tracks overlap.
   *
   * @returns Whether the chunk was played; one that was not does not go on downstream.
   */
  protected abstract writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean>;

  /**
   * Shows an image on the track of `image.transportDestination`: `undefined` for the default one, otherwise one of
   * `params.videoOutDestinations`. Called `params.videoOutFramerate` times a second, also for an unchanged image, and
   * never while a call is pending. Only called with `params.videoOutEnabled`. Default: shows nothing.
   *
   * @param image As it was pushed: neither its size nor its format are changed.
   * @returns Whether the image was shown.
   */
  protected writeVideoFrame(_image: OutputImageRawFrame): Promise<boolean> {
    return Promise.resolve(false);
  }

  /**
   * To be called with false when the last listener has left: speech is dropped, queued and new, also while an EndFrame
   * drains. To be called with true when there is a listener again. Each run begins with true.
   */
  protected setHasListeners(hasListeners: boolean): void {
    for (const sender of this.#senders.values()) sender.setHasListeners(hasListeners);
  }

  /** Discards what was written to this track and not played yet; `undefined` is the default one. */
  protected clearAudio(_destination: string | undefined): void {}

  /** Resolves when everything written to this track has been played; `undefined` is the default one. */
  protected waitForPlayout(_destination: string | undefined): Promise<void> {
    return Promise.resolve();
  }

  /** Disconnects; idempotent, must not throw. */
  protected leave(): Promise<void> {
    return Promise.resolve();
  }

  /** Sends a message. Default: drops it. */
  protected sendMessage(_message: OutputMessage): Promise<void> {
    return Promise.resolve();
  }

  /** Sends one DTMF key; calls are sequential, `params.dtmfIntervalMs` apart. Default: drops it. */
  protected sendDTMF(_key: KeypadEntry): Promise<void> {
    return Promise.resolve();
  }

  /** Makes a resampler between these rates, in hertz. Default: a {@link LinearResampler}. */
  protected createResampler(fromHz: number, toHz: number, channels: number): StreamResampler {
    return new LinearResampler(fromHz, toHz, channels);
  }

  #newSender(destination: string | undefined): MediaSender {
    return new MediaSender({
      destination,
      params: this.params,
      sampleRate: this.#sampleRate,
      hooks: this.#hooks,
    });
  }

  #newDTMFSender(): DTMFSender {
    return new DTMFSender({
      intervalMs: this.params.dtmfIntervalMs,
      send: (key) => this.sendDTMF(key),
      sent: () => this.#reportProgress(),
    });
  }

  #closeSenders(): void {
    this.#dtmf.stop();
    for (const sender of this.#senders.values()) sender.close();
    this.#senders.clear();
    this.#warned.clear();
  }

  #senderFor({ transportDestination: destination }: Frame): MediaSender | undefined {
    const sender = this.#senders.get(destination);
    if (sender === undefined) {
      this.#warnOnce(
        `destination ${destination}`,
        { destination },
        'frames for an unknown destination are dropped',
      );
    }
    return sender;
  }

  #warnOnce(key: string, fields: object, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.logger.warn({ processor: this.name, ...fields }, message);
  }

  #deliver(frame: Frame): void | Promise<void> {
    if (frame instanceof OutputTransportMessageFrame || frame instanceof OutputDTMFFrame) {
      return this.#send(frame).then(() => this.push(frame));
    }
    this.push(frame);
  }

  async #send(frame: OutputMessage | OutputDTMF): Promise<void> {
    try {
      if ('buttons' in frame) await this.#dtmf.send(frame.buttons);
      else await this.sendMessage(frame);
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
    const { transportDestination: destination } = frame;
    const reached =
      destination === undefined ? [...this.#senders.values()] : [this.#senders.get(destination)];
    const interrupted = reached.filter((sender) => sender?.interrupt());
    this.push(frame, direction);
    for (const sender of interrupted) sender?.stopSpeaking();
  }

  async #end(frame: Frame): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.end()));
    await this.#dtmf.done;
    await this.#leave();
    this.push(frame);
  }

  async #stop(frame: Frame): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.stop()));
    await this.#dtmf.done;
    this.push(frame);
  }

  #cancel(frame: Frame): void {
    for (const sender of this.#senders.values()) sender.cancel();
    this.#dtmf.stop();
    void this.#leave();
    this.push(frame);
  }
}

/** What a {@link DTMFSender} needs. */
export interface DTMFSenderOptions {
  /** Between two keys, in milliseconds. */
  readonly intervalMs: number;
  /** Sends one key. */
  readonly send: (key: KeypadEntry) => Promise<void>;
  /** Called after each key, so that a drain counts as progress. */
  readonly sent: () => void;
}

/** Queues DTMF keys and sends them at an interval that keeps them distinguishable. */
export class DTMFSender {
  readonly #options: DTMFSenderOptions;
  #work: Promise<void> = Promise.resolve();
  #lastMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: DTMFSenderOptions) {
    this.#options = options;
  }

  /** Resolves when all keys so far were sent or have failed; never rejects. */
  get done(): Promise<void> {
    return this.#work;
  }

  /**
   * Queues keys.
   *
   * @returns Rejects with the error of the first key that fails; the keys after it are not sent.
   */
  send(keys: readonly KeypadEntry[]): Promise<void> {
    const sending = this.#work.then(() => this.#sendAll(keys));
    this.#work = sending.catch(() => {});
    return sending;
  }

  /** Drops the queued keys. */
  stop(): void {
    this.#isStopped = true;
  }

  async #sendAll(keys: readonly KeypadEntry[]): Promise<void> {
    for (const key of keys) {
      const waitMs = this.#lastMs + this.#options.intervalMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#isStopped) return;
      this.#lastMs = performance.now();
      await this.#options.send(key);
      this.#options.sent();
    }
  }
}
