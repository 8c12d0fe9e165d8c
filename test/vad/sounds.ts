/** Sounds for voice activity detection, at 16 000 hertz unless told otherwise. */

import { type AudioChunk, UserAudioRawFrame } from '../../src/frames/audio.ts';

/** A sound to be put together with others. */
export type Sound = (durationMs: number, sampleRate: number) => Int16Array;

export const silence: Sound = (durationMs, sampleRate) => new Int16Array(samplesIn(durationMs, sampleRate));

/** @param amplitude Of 32 767. */
export function hum(amplitude = 12_000, hertz = 300): Sound {
  return (durationMs, sampleRate) =>
    Int16Array.from(
      { length: samplesIn(durationMs, sampleRate) },
      (_, index) => amplitude * Math.sin((2 * Math.PI * hertz * index) / sampleRate),
    );
}

/** The same noise every time. */
export function noise(amplitude: number): Sound {
  return (durationMs, sampleRate) => {
    let state = 1;
    return Int16Array.from({ length: samplesIn(durationMs, sampleRate) }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return amplitude * ((2 * state) / 2_147_483_647 - 1);
    });
  };
}

/** One sound after the other, in pieces of 20 ms. */
export function pieces(
  sounds: readonly (readonly [sound: Sound, durationMs: number])[],
  sampleRate = 16_000,
): Int16Array[] {
  const all = sounds.flatMap(([sound, durationMs]) => [...sound(durationMs, sampleRate)]);
  return cut({ audio: Int16Array.from(all), sampleRate, numChannels: 1 });
}

/** A piece of sound in pieces of 20 ms; what is left at the end is lost. */
export function cut({ audio, sampleRate, numChannels }: AudioChunk): Int16Array[] {
  const size = samplesIn(20, sampleRate) * numChannels;
  return Array.from({ length: Math.floor(audio.length / size) }, (_, index) =>
    audio.slice(index * size, (index + 1) * size),
  );
}

/** As the input transport would push it. */
export function heardFrom(userId: string, audio: Int16Array, sampleRate = 16_000): UserAudioRawFrame {
  return new UserAudioRawFrame({ audio, sampleRate, numChannels: 1, userId });
}

function samplesIn(durationMs: number, sampleRate: number): number {
  return Math.round((durationMs * sampleRate) / 1_000);
}
