import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioChunker } from '../../src/audio/chunker.ts';

describe('AudioChunker', () => {
  it('loses, adds and moves no sample, whatever the pieces', () => {
    const pieces = fc.array(fc.int16Array({ maxLength: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 40 }), (audio, size) => {
        const chunker = new AudioChunker(size);
        const chunks = [...audio.flatMap((piece) => chunker.push(piece)), ...chunker.flush()];
        const all = audio.flatMap((piece) => [...piece]);
        const padding = (size - (all.length % size)) % size;
        expect(chunks.flatMap((chunk) => [...chunk])).toEqual([...all, ...new Array(padding).fill(0)]);
        for (const chunk of chunks) {
          expect(chunk.length).toBe(size);
          expect(chunk.buffer.byteLength).toBe(chunk.byteLength);
        }
      }),
    );
  });

  it('forgets what is left', () => {
    const chunker = new AudioChunker(3);
    chunker.push(Int16Array.of(1, 2));
    chunker.clear();
    expect(chunker.flush()).toEqual([]);
    expect(chunker.push(Int16Array.of(3, 4, 5))).toEqual([Int16Array.of(3, 4, 5)]);
  });
});
