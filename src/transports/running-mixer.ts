import type { MixerControlFrame } from '../frames/mixer.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { AudioMixer } from './audio-mixer.ts';
import { RowOfFailures } from './row-of-failures.ts';

/** How long a mixer may take to stop: the bot must leave all the same. */
const stopLimitMs = 1_000;

/** A mixer in one run: whatever it does wrong is reported, and the bot is heard without it. */
export class RunningMixer {
  readonly #mixer: AudioMixer;
  readonly #failed: (error: unknown) => void;
  readonly #mixing: RowOfFailures;
  #orders: Promise<void>;
  #state: 'starting' | 'running' | 'stopped' = 'starting';

  /** @param sampleRate In hertz. */
  constructor(mixer: AudioMixer, sampleRate: number, failed: (error: unknown) => void) {
    this.#mixer = mixer;
    this.#failed = failed;
    this.#mixing = new RowOfFailures(failed);
    this.#orders = this.#start(sampleRate);
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Resolves when it can mix, or could not be started. */
  get started(): Promise<void> {
    return this.#orders;
  }

  /** @returns The same where it does not mix. */
  async mix(audio: Int16Array): Promise<Int16Array> {
    if (this.#state !== 'running') return audio;
    return this.#mixing.run(() => this.#mixer.mix(audio), audio);
  }

  /** Orders are carried out in turn, the first when the mixer has started. */
  order(frame: MixerControlFrame): void {
    this.#orders = this.#orders.then(() => this.#carryOut(frame));
  }

  /** Resolves within a limit; never rejects. */
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

  async #carryOut(frame: MixerControlFrame): Promise<void> {
    if (this.#state === 'running') await this.#attempt(() => this.#mixer.processFrame(frame));
  }

  async #attempt(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
  }
}
