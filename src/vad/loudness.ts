/** How loud sound is. */

const fullScale = 32_768;
/** Quieter than one bit of noise. */
const silenceDb = -100;

/** Mean loudness in decibels below full scale: 0 is as loud as it gets, −100 stands for silence. */
export function loudnessDb(samples: Int16Array): number {
  let squares = 0;
  for (const sample of samples) squares += sample * sample;
  if (squares === 0) return silenceDb;
  return Math.max(silenceDb, 10 * Math.log10(squares / samples.length / fullScale ** 2));
}

/**
 * The same as Pipecat's volume, 0 to 1: 0.01 is 1 dB, 0.6 is −50 dB.
 *
 * @see Pipecat `audio/utils.py`, `calculate_audio_volume`; there frequencies are weighted as the ear does.
 */
export function volumeOf(samples: Int16Array): number {
  return Math.min(1, Math.max(0, (loudnessDb(samples) + 110) / 100));
}
