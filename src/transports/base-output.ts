import type { OutputAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { KeyPresses } from './key-presses.ts';
import { MediaSender } from './media-sender.ts';
import type { MediaSenderHooks } from './media-sender-options.ts';
import { isSentAtOnce, isSentInTurn, type OutputKeys, type OutputMessage } from './outgoing-frames.ts';
import { LinearResampler, type StreamResampler } from './stream-resampler.ts';
import type { FilledTransportParams } from './transport-params.ts';

export type { OutputMessage } from './outgoing-frames.ts';

/**
 * The way out of a pipeline, for any media server: a subclass connects in `setup()`, where it publishes a track of
 * its own for the default destination and for each of `params.audioOutDestinations` and `videoOutDestinations`;
 * it plays chunks of sound in {@link writeAudioFrame}, shows pictures in {@link writeVideoFrame}, and leaves in
 * {@link leave}.
 *
 * Each destination has its own order: sound is brought to one rate, cut into chunks, and played in order with all
 * other data and control frames for that `transportDestination`; whatever stands behind sound waits for it. Pictures
 * are shown at once, those with `syncWithAudio` in order. A frame goes on downstream when it has been played. What is
 * for an unknown destination is dropped, with one warning.
 *
 * Frames in: StartFrame opens it. EndFrame: everything ahead of it is played to the last sample, whatever
 * interrupts; then the transport leaves, then the frame goes on. StopFrame: waits in the same way and stays
 * connected. CancelFrame: leaves at once. InterruptionFrame: droppable frames are forgotten, sound stops; one with a
 * `transportDestination` interrupts only that. MixerControlFrame: goes to the destination's mixer, at once.
 * Frames out: BotStartedSpeaking, BotSpeaking and BotStoppedSpeaking frames, in both directions.
 *
 * @see Pipecat `transports/base_output.py`, `BaseOutputTransport`; differs in that a drain cannot be interrupted,
 * that a partial chunk is played at the end, that an interruption reaches all destinations, and that a mixer alone
 * sends nothing downstream.
 */
export abstract class BaseOutputTransport extends FrameProcessor {
  protected readonly params: FilledTransportParams;
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
  /** What was warned of in this run. */
  readonly #warned = new Set<string>();
  #keys: KeyPresses;
  #sampleRate = 0;
  #reportProgress: () => void = () => {};

  constructor(params: FilledTransportParams, options?: FrameProcessorOptions) {
    super(options);
    this.params = params;
    this.#keys = this.#newKeys();
  }

  /** Of the sound that is written, in hertz; known from `setup()` on. */
  get sampleRate(): number {
    return this.#sampleRate;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#reportProgress = setup.reportProgress;
    this.#sampleRate = this.params.audioOutSampleRate ?? setup.audioOutSampleRate;
    this.#closeSenders();
    this.#keys = this.#newKeys();
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
    if (isSentAtOnce(frame)) void this.#send(frame);
    else if (frame.kind === 'system') this.push(frame);
    else {
      const sender = this.#senderFor(frame);
      // it goes on in its turn
      if (sender !== undefined) this.holdFrame(frame);
      sender?.take(frame);
    }
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

  /**
   * To be called when the last listener has left, with false: speech is dropped, what waits and what comes, also by
   * an EndFrame that plays out. With true when somebody listens again. Each run begins with true.
   */
  protected listened(isListened: boolean): void {
    for (const sender of this.#senders.values()) sender.listened(isListened);
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

  /** Presses a key of a telephone. Called for one key at a time, `params.dtmfIntervalMs` apart. */
  protected sendKey(_key: KeypadEntry): Promise<void> {
    return Promise.resolve();
  }

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

  #newKeys(): KeyPresses {
    return new KeyPresses({
      intervalMs: this.params.dtmfIntervalMs,
      press: (key) => this.sendKey(key),
      pressed: () => this.#reportProgress(),
    });
  }

  #closeSenders(): void {
    this.#keys.stop();
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
    if (isSentInTurn(frame)) return this.#send(frame).then(() => this.push(frame));
    this.push(frame);
  }

  async #send(frame: OutputMessage | OutputKeys): Promise<void> {
    try {
      if ('buttons' in frame) await this.#keys.press(frame.buttons);
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
    for (const sender of interrupted) sender?.stopSpeech();
  }

  async #end(frame: Frame): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.end()));
    await this.#keys.done;
    await this.#leave();
    this.push(frame);
  }

  async #stop(frame: Frame): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.stop()));
    await this.#keys.done;
    this.push(frame);
  }

  #cancel(frame: Frame): void {
    for (const sender of this.#senders.values()) sender.cancel();
    this.#keys.stop();
    void this.#leave();
    this.push(frame);
  }
}
