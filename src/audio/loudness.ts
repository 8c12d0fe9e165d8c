/** Measures loudness of 16-bit PCM. */

const fullScale = 32_768;
/** Stands for digital silence; quieter than one bit of noise. */
const silenceDb = -100;

/** Mean loudness in decibels relative to full scale (dBFS): 0 is the maximum, −100 stands for silence. */
export function loudnessDb(samples: Int16Array): number {
  let squares = 0;
  for (const sample of samples) squares += sample * sample;
  if (squares === 0) return silenceDb;
  return Math.max(silenceDb, 10 * Math.log10(squares / samples.length / fullScale ** 2));
}

/**
 * The same on Pipecat's scale from 0 to 1: 0.01 is 1 dB, 0.6 is −50 dBFS.
 *
 * @see Pipecat `audio/utils.py`, `calculate_audio_volume`; there frequencies are weighted (ITU-R BS.1770).
 */
export function volumeOf(samples: Int16Array): number {
  return Math.min(1, Math.max(0, (loudnessDb(samples) + 110) / 100));
}
