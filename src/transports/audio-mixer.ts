import type { MixerControlFrame } from '../frames/mixer.ts';

/**
 * Adds sound of its own, such as the noise of an office, to what the bot says, and to its silence.
 *
 * What it throws is reported; the bot is then heard without it.
 *
 * @see Pipecat `audio/mixers/base_audio_mixer.py`, `BaseAudioMixer`
 */
export interface AudioMixer {
  /**
   * Once per run, before anything else. Until it has resolved the bot is heard without the mixer.
   *
   * @param sampleRate Of what will be mixed, in hertz.
   */
  start(sampleRate: number): void | Promise<void>;
  /** At the end of a run, when everything was played. */
  stop(): void | Promise<void>;
  /** @param frame An order, such as to be silent; in the order in which they come. */
  processFrame(frame: MixerControlFrame): void | Promise<void>;
  /**
   * @param audio A chunk of what is said, or of silence: 16-bit PCM, interleaved, `audioOut10msChunks` long. It
   * may be changed in place.
   * @returns What is to be heard: as many samples.
   */
  mix(audio: Int16Array): Int16Array | Promise<Int16Array>;
}

/** The mixer of each destination; the key `undefined` is the default destination. */
export type AudioMixers = ReadonlyMap<string | undefined, AudioMixer>;
