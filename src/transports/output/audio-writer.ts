/** Writes the audio of one destination: chunks, silence, and the mixer's background between them. */

import { OutputAudioRawFrame } from '../../frames/audio.ts';
import type { MixerControlFrame } from '../../frames/mixer.ts';
import { withTimeout } from '../../lib/timeout.ts';
import type { AudioMixer } from '../audio-mixer.ts';
import { type GuardedCall, type MediaSenderOptions, reportOnce } from './media-sender-hooks.ts';
import { Pacer } from './pacer.ts';

/** Writes chunks through the mixer, and silence through the mixer while nothing else is played. */
export class AudioWriter {
  readonly #options: MediaSenderOptions;
  readonly #writing: GuardedCall;
  readonly #chunkMs: number;
  #mixer: MixerRunner | undefined;
  #background: BackgroundAudio | undefined;

  constructor(options: MediaSenderOptions) {
    this.#options = options;
    this.#writing = reportOnce(options.hooks.failed);
    this.#chunkMs = options.params.audioOut10msChunks * 10;
  }

  /** @param ready Called when the destination's mixer has started. */
  start(ready: () => void): void {
    const { destination, params, sampleRate, hooks } = this.#options;
    const mixer = params.audioOutMixer.get(destination);
    if (mixer === undefined || !params.audioOutEnabled) return;
    this.#mixer = new MixerRunner(mixer, sampleRate, hooks.failed);
    this.#background = new BackgroundAudio(this.#chunkMs, () => this.#write(this.#silence()));
    void this.#mixer.started.then(ready);
  }

  /** Passes a control frame to the destination's mixer. */
  control(frame: MixerControlFrame): void {
    this.#mixer?.processFrame(frame);
  }

  /** @returns Whether the chunk was played; resolves when the next one is due. Never rejects. */
  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    if (this.#background !== undefined) await this.#background.pause();
    const isPlayed = await this.#write(chunk);
    this.#options.hooks.progressed();
    return isPlayed;
  }

  /** Plays silence for `ms` milliseconds, or until `isWanted` returns false. */
  async playSilence(ms: number, isWanted: () => boolean): Promise<void> {
    if (!this.#options.params.audioOutEnabled) return;
    for (let restMs = ms; restMs > 0; restMs -= this.#chunkMs) {
      if (!isWanted() || !(await this.play(this.#silence()))) return;
    }
  }

  /** Plays the mixer alone, until the next chunk. */
  playBackground(): void {
    if (this.#mixer?.isRunning === true) this.#background?.play();
  }

  /** Resolves when no background is being written. */
  async pauseBackground(): Promise<void> {
    await this.#background?.pause();
  }

  /** Resolves when everything written has been played; never rejects. */
  async waitForPlayout(): Promise<void> {
    const { hooks, destination } = this.#options;
    await this.#writing(() => hooks.waitForPlayout(destination), undefined);
  }

  /** Discards audio that was written and not played yet. Not awaited by callers; never rejects. */
  async clear(): Promise<void> {
    const { hooks, destination } = this.#options;
    try {
      await hooks.clearAudio(destination);
    } catch (error) {
      hooks.failed(error);
    }
    this.#background?.restart();
  }

  /** Stops the mixer. Resolves within 1 s; never rejects. */
  async stop(): Promise<void> {
    void this.#background?.pause();
    await this.#mixer?.stop();
  }

  async #write(chunk: OutputAudioRawFrame): Promise<boolean> {
    // the chunk is owned by the output: the mixed audio is what goes on downstream
    if (this.#mixer !== undefined) Object.assign(chunk, { audio: await this.#mixer.mix(chunk.audio) });
    return this.#writing(() => this.#options.hooks.writeAudioFrame(chunk), false);
  }

  #silence(): OutputAudioRawFrame {
    const { destination, sampleRate, params } = this.#options;
    const numChannels = params.audioOutChannels;
    const audio = new Int16Array(Math.round(sampleRate / 100) * params.audioOut10msChunks * numChannels);
    const silence = new OutputAudioRawFrame({ audio, sampleRate, numChannels });
    silence.transportDestination = destination;
    return silence;
  }
}

/**
 * Writes a chunk of background per period while it is on.
 *
 * Paced by the clock, so that it neither fills the media server's buffer ahead of the next word nor starves the event
 * loop where a write resolves at once.
 */
class BackgroundAudio {
  readonly #write: () => Promise<unknown>;
  readonly #pacer: Pacer;
  #isOn = false;
  #playing: Promise<void> = Promise.resolve();

  /** @param write Writes one chunk; never rejects. */
  constructor(periodMs: number, write: () => Promise<unknown>) {
    this.#write = write;
    this.#pacer = new Pacer({ periodMs, aheadMs: periodMs });
  }

  play(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#pacer.restart();
    this.#playing = this.#playing.then(() => this.#play());
  }

  /** Resolves when no chunk is being written. */
  pause(): Promise<void> {
    this.#isOn = false;
    this.#pacer.skip();
    return this.#playing;
  }

  /** Makes the next chunk due now, after a clear. */
  restart(): void {
    this.#pacer.restart();
  }

  async #play(): Promise<void> {
    while (this.#isOn) {
      await this.#pacer.next();
      if (this.#isOn) await this.#write();
    }
  }
}

/** Limit for the mixer's `stop()`, so that it cannot block the transport from leaving. */
const stopLimitMs = 1_000;

/** One mixer in one run; its errors are reported, and audio passes unmixed. */
export class MixerRunner {
  readonly #mixer: AudioMixer;
  readonly #failed: (error: unknown) => void;
  readonly #mixing: GuardedCall;
  /** Start and control frames, one after the other. */
  #control: Promise<void>;
  #state: 'starting' | 'running' | 'stopped' = 'starting';

  /** @param sampleRate In hertz. */
  constructor(mixer: AudioMixer, sampleRate: number, failed: (error: unknown) => void) {
    this.#mixer = mixer;
    this.#failed = failed;
    this.#mixing = reportOnce(failed);
    this.#control = this.#start(sampleRate);
  }

  /** Whether audio is mixed. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Resolves when the mixer has started or failed to. */
  get started(): Promise<void> {
    return this.#control;
  }

  /** @returns The mixed audio; the same audio where the mixer does not run. Never rejects. */
  async mix(audio: Int16Array): Promise<Int16Array> {
    if (this.#state !== 'running') return audio;
    return this.#mixing(() => this.#mixer.mix(audio), audio);
  }

  /** Control frames are processed in order, once the mixer has started. */
  processFrame(frame: MixerControlFrame): void {
    this.#control = this.#control.then(async () => {
      if (this.#state === 'running') await this.#attempt(() => this.#mixer.processFrame(frame));
    });
  }

  /** Resolves within 1 s; never rejects. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    await withTimeout(
      this.#attempt(() => this.#mixer.stop()),
      stopLimitMs,
    );
  }

  async #start(sampleRate: number): Promise<void> {
    await this.#attempt(async () => {
      await this.#mixer.start(sampleRate);
      if (this.#state === 'starting') this.#state = 'running';
    });
  }

  async #attempt(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
  }
}
