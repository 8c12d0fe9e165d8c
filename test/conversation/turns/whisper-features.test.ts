import { describe, expect, it } from 'vitest';
import { whisperFeatures } from '../../../src/conversation/turns/whisper-features.ts';
import { digestOf, soundClips } from '../../conformance/smart-turn-clips.ts';
import { smartTurnFigures } from '../../conformance/smart-turn-figures.ts';

const { featureStep, clips: figures } = smartTurnFigures;

describe('whisperFeatures', () => {
  it.each(soundClips().map((clip, index) => [clip.name, clip, figures[index]] as const))(
    'computes the features of %s bit for bit as Pipecat does',
    (name, clip, expected) => {
      expect(expected).toMatchObject({ name, sha256: digestOf(clip) });
      const features = whisperFeatures(clip.audio.subarray(-(expected?.samples ?? 0)));
      expect(features.length).toBe(80 * 800);
      const some = features.filter((_, index) => index % featureStep === 0);
      expect([...some]).toEqual(expected?.features.map(Math.fround));
    },
  );

  it('takes the last 8 s of a longer sound', () => {
    const long = soundClips().find(({ name }) => name === 'syllables for longer than 8 s');
    expect(long?.audio.length).toBeGreaterThan(128_000);
    const all = long?.audio ?? new Int16Array(0);
    expect(whisperFeatures(all)).toEqual(whisperFeatures(all.slice(-128_000)));
  });

  it('puts silence before a shorter sound', () => {
    const short = Int16Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 20_000);
    const padded = new Int16Array(128_000);
    padded.set(short, 123_000);
    expect(whisperFeatures(short)).toEqual(whisperFeatures(padded));
  });

  it('is the same everywhere in silence', () => {
    expect(new Set(whisperFeatures(new Int16Array(0)))).toEqual(new Set([-1.5]));
  });
});
