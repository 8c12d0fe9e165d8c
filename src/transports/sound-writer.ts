import { OutputAudioRawFrame } from '../frames/audio.ts';
import type { MixerControlFrame } from '../frames/mixer.ts';
import { BackgroundSound } from './background-sound.ts';
import type { MediaSenderOptions } from './media-sender-options.ts';
import { RowOfFailures } from './row-of-failures.ts';
import { RunningMixer } from './running-mixer.ts';

/** Writes the sound of one destination, with what its mixer adds to it, and to the silence in between. */
export class SoundWriter {
  readonly #options: MediaSenderOptions;
  readonly #writing: RowOfFailures;
  readonly #chunkMs: number;
  #mixer: RunningMixer | undefined;
  #background: BackgroundSound | undefined;

  constructor(options: MediaSenderOptions) {
    this.#options = options;
    this.#writing = new RowOfFailures(options.hooks.failed);
    this.#chunkMs = options.params.audioOut10msChunks * 10;
  }

  /** @param ready Called when there is something to be mixed in. */
  start(ready: () => void): void {
    const { destination, params, sampleRate, hooks } = this.#options;
    const mixer = params.audioOutMixer.get(destination);
    if (mixer === undefined || !params.audioOutEnabled) return;
    this.#mixer = new RunningMixer(mixer, sampleRate, hooks.failed);
    this.#background = new BackgroundSound({
      periodMs: this.#chunkMs,
      write: () => this.#write(this.#silence()),
    });
    void this.#mixer.started.then(ready);
  }

  order(frame: MixerControlFrame): void {
    this.#mixer?.order(frame);
  }

  /** @returns Whether the chunk was played; resolves when the next one should come. Never rejects. */
  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    if (this.#background !== undefined) await this.#background.pause();
    const isPlayed = await this.#write(chunk);
    this.#options.hooks.progressed();
    return isPlayed;
  }

  /** Plays silence as long as it is wanted, at most for this long. */
  async playSilence(ms: number, isWanted: () => boolean): Promise<void> {
    if (!this.#options.params.audioOutEnabled) return;
    for (let restMs = ms; restMs > 0; restMs -= this.#chunkMs) {
      if (!isWanted() || !(await this.play(this.#silence()))) return;
    }
  }

  /** Nothing is said: the mixer is heard alone, until the next chunk. */
  playBackground(): void {
    if (this.#mixer?.isRunning === true) this.#background?.play();
  }

  /** Resolves when the mixer is not heard any more between chunks. */
  async pauseBackground(): Promise<void> {
    await this.#background?.pause();
  }

  /** Resolves when everything that was written has been played; never rejects. */
  async whenHeard(): Promise<void> {
    const { hooks, destination } = this.#options;
    await this.#writing.run(() => hooks.waitForPlayout(destination), undefined);
  }

  /** Forgets what was written and not played yet. Never rejects: nobody must wait for a subclass that cannot. */
  async clear(): Promise<void> {
    const { hooks, destination } = this.#options;
    try {
      await hooks.clearAudio(destination);
    } catch (error) {
      hooks.failed(error);
    }
    this.#background?.cleared();
  }

  /** Resolves within a limit; never rejects. */
  async stop(): Promise<void> {
    void this.#background?.pause();
    await this.#mixer?.stop();
  }

  async #write(chunk: OutputAudioRawFrame): Promise<boolean> {
    // the chunk is our own: what was mixed in goes on downstream with it
    if (this.#mixer !== undefined) Object.assign(chunk, { audio: await this.#mixer.mix(chunk.audio) });
    return this.#writing.run(() => this.#options.hooks.writeAudioFrame(chunk), false);
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
