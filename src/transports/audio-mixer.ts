/** The interface of mixers, which add audio to that of the bot. */

import type { MixerControlFrame } from '../frames/mixer.ts';

/**
 * Adds audio of its own, such as office noise, to the bot's speech and to the silence between.
 *
 * Errors it throws are reported; audio then passes unmixed.
 *
 * @see Pipecat `audio/mixers/base_audio_mixer.py`, `BaseAudioMixer`
 */
export interface AudioMixer {
  /**
   * Called once per run, first. Until it resolves audio passes unmixed.
   *
   * @param sampleRate Of the audio to mix, in hertz.
   */
  start(sampleRate: number): void | Promise<void>;
  /** Called at the end of a run, when everything was played; bounded to 1 s. */
  stop(): void | Promise<void>;
  /** @param frame Changes settings, or turns the mixer on or off; called in the order in which frames come. */
  processFrame(frame: MixerControlFrame): void | Promise<void>;
  /**
   * @param audio A chunk of speech or silence: 16-bit PCM, interleaved, `audioOut10msChunks` long. It may be changed
   * in place.
   * @returns The mixed audio: as many samples.
   */
  mix(audio: Int16Array): Int16Array | Promise<Int16Array>;
}

/** The mixer of each destination; the key `undefined` is the default destination. */
export type AudioMixers = ReadonlyMap<string | undefined, AudioMixer>;
