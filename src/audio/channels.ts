/** Converts interleaved 16-bit PCM between numbers of channels. */

/**
 * Mixes down to one channel (the rounded mean), or repeats the channels there are.
 *
 * @param audio Interleaved 16-bit PCM of `from` channels.
 * @returns `audio` itself where the number does not change; a new array otherwise.
 */
export function toChannels(audio: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return audio;
  const length = Math.floor(audio.length / from);
  const out = new Int16Array(length * to);
  for (let index = 0; index < length; index += 1) {
    if (to === 1) {
      let sum = 0;
      for (let channel = 0; channel < from; channel += 1) sum += audio[index * from + channel] ?? 0;
      out[index] = Math.round(sum / from);
    } else {
      for (let channel = 0; channel < to; channel += 1) {
        out[index * to + channel] = audio[index * from + (channel % from)] ?? 0;
      }
    }
  }
  return out;
}
