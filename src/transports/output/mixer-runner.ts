/** Runs an {@link AudioMixer} for one run, isolating its errors. */

import type { MixerControlFrame } from '../../frames/mixer.ts';
import { withTimeout } from '../../lib/timeout.ts';
import type { AudioMixer } from '../audio-mixer.ts';
import { type GuardedCall, reportOnce } from './media-sender-hooks.ts';

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
