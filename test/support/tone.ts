import { OutputAudioRawFrame } from '../../src/frames/audio.ts';

const sampleRate = 24_000;

/** Something for a bot to say that can be measured; 0 hertz is silence. */
export function tone(hertz: number, durationMs: number): OutputAudioRawFrame {
  const step = (2 * Math.PI * hertz) / sampleRate;
  const audio = Int16Array.from({ length: (durationMs * sampleRate) / 1_000 }, (_, index) =>
    Math.round(12_000 * Math.sin(step * index)),
  );
  return new OutputAudioRawFrame({ audio, sampleRate, numChannels: 1 });
}
