import { describe, expect, it } from 'vitest';
import {
  SmartTurnAnalyzer,
  type SmartTurnAnalyzerOptions,
  type TurnModel,
} from '../../../src/conversation/turns/smart-turn-analyzer.ts';
import { InvalidOptionError, PipelineError } from '../../../src/lib/errors.ts';
import { type Clip, clipPiece, clipRate, digestOf, soundClips } from '../../conformance/smart-turn-clips.ts';
import { smartTurnFigures } from '../../conformance/smart-turn-figures.ts';

const { signal } = new AbortController();

/** A model that keeps what it is to judge. */
class FakeModel implements TurnModel {
  readonly judged: Int16Array[] = [];
  readonly calls: string[] = [];
  answer: () => Promise<number> = async () => 0.7;

  async load(): Promise<void> {
    this.calls.push('load');
  }

  probability(samples: Int16Array<ArrayBuffer>): Promise<number> {
    this.judged.push(samples);
    return this.answer();
  }

  close(): void {
    this.calls.push('close');
  }
}

function setup(options: Partial<SmartTurnAnalyzerOptions> = {}) {
  const model = new FakeModel();
  const analyzer = new SmartTurnAnalyzer({ model: 'smart-turn.onnx', ...options }, model);
  let next = 0;
  /** Adds so many milliseconds of sound, in which each sample is one more than the one before. */
  const hears = (ms: number, isSpeech: boolean): void => {
    const audio = Int16Array.from({ length: ms * 16 }, () => ++next % 30_000);
    for (let at = 0; at < audio.length; at += clipPiece) {
      analyzer.appendAudio(
        { audio: audio.subarray(at, at + clipPiece), sampleRate: 16_000, numChannels: 1 },
        isSpeech,
      );
    }
  };
  /** What is judged now: the first sample, the last sample, the length in milliseconds. */
  const judged = async () => {
    await analyzer.analyze(signal);
    const sound = model.judged.at(-1) ?? new Int16Array(0);
    return { first: sound[0], last: sound.at(-1), ms: sound.length / 16 };
  };
  return { model, analyzer, hears, judged };
}

function hear(analyzer: SmartTurnAnalyzer, { audio, isSpeech }: Clip): void {
  for (const [index, flag] of isSpeech.entries()) {
    const piece = audio.subarray(index * clipPiece, (index + 1) * clipPiece);
    analyzer.appendAudio({ audio: piece, sampleRate: clipRate, numChannels: 1 }, flag);
  }
}

describe('SmartTurnAnalyzer', () => {
  it.each(soundClips().map((clip, index) => [clip.name, clip, smartTurnFigures.clips[index]] as const))(
    'judges as much of %s as Pipecat does',
    async (_, clip, expected) => {
      const { analyzer, model } = setup();
      hear(analyzer, clip);
      await analyzer.analyze(signal);
      const [audio = new Int16Array(0), ...others] = model.judged;
      expect(others).toEqual([]);
      expect(audio.length).toBe(expected?.samples);
      expect(digestOf({ audio })).toBe(digestOf({ audio: clip.audio.slice(-audio.length) }));
    },
  );

  it.each([
    [0.50001, true],
    [0.5, false],
    [0.02, false],
  ])('takes a probability of %d as complete: %s', async (probability, isComplete) => {
    const { analyzer, model, hears } = setup();
    model.answer = async () => probability;
    hears(100, true);
    expect(await analyzer.analyze(signal)).toEqual({ isComplete, probability });
  });

  it('begins 500 ms before the voice, which the VAD tells 200 ms late', async () => {
    const { hears, judged } = setup();
    hears(2_000, false);
    hears(1_000, true);
    hears(200, false);
    expect(await judged()).toEqual({ first: 1_300 * 16 + 1, last: 3_200 * 16 - 30_000, ms: 1_900 });
  });

  it('takes the times before the voice from its options', async () => {
    const { hears, judged } = setup({ preSpeechMs: 100, vadStartMs: 0 });
    hears(2_000, false);
    hears(1_000, true);
    expect((await judged()).ms).toBe(1_100);
  });

  it('judges the whole turn with its pauses, and what follows an earlier verdict', async () => {
    const { hears, judged } = setup();
    hears(1_000, false);
    for (const expectedMs of [1_900, 3_100, 4_300]) {
      hears(1_000, true);
      hears(200, false);
      expect((await judged()).ms).toBe(expectedMs);
    }
  });

  it('judges the last 8 s of a longer turn, however long the chunks are', async () => {
    const { analyzer, model, hears, judged } = setup();
    hears(1_500, false);
    hears(9_000, true);
    expect(await judged()).toEqual({
      first: ((2_500 * 16) % 30_000) + 1,
      last: (10_500 * 16) % 30_000,
      ms: 8_000,
    });
    const audio = Int16Array.from({ length: 170_000 }, (_, index) => index % 30_000);
    analyzer.appendAudio({ audio, sampleRate: 16_000, numChannels: 1 }, true);
    await analyzer.analyze(signal);
    expect(model.judged.at(-1)).toEqual(audio.slice(-128_000));
  });

  it('begins anew after a reset, without the sound before', async () => {
    const { analyzer, hears, judged } = setup();
    hears(2_200, true);
    await judged();
    analyzer.reset();
    hears(300, false);
    hears(1_000, true);
    expect(await judged()).toEqual({ first: 2_200 * 16 - 30_000 + 1, last: 3_500 * 16 - 30_000, ms: 1_300 });
  });

  it('keeps what comes while it judges for the next verdict', async () => {
    const { analyzer, model, hears, judged } = setup();
    hears(400, true);
    const { promise, resolve } = deferred<number>();
    model.answer = () => promise;
    const verdict = analyzer.analyze(signal);
    hears(600, true);
    resolve(0.9);
    expect(await verdict).toEqual({ isComplete: true, probability: 0.9 });
    expect(model.judged[0]?.length).toBe(400 * 16);
    expect((await judged()).ms).toBe(1_000);
  });

  it('judges what there is when the VAD has noticed no speech', async () => {
    const { hears, judged } = setup();
    hears(900, false);
    expect((await judged()).ms).toBe(900);
  });

  it('has no turn without sound, and needs no model for that', async () => {
    const { analyzer, model, hears } = setup();
    expect(await analyzer.analyze(signal)).toEqual({ isComplete: false, probability: 0 });
    hears(100, true);
    analyzer.reset();
    expect(await analyzer.analyze(signal)).toEqual({ isComplete: false, probability: 0 });
    expect(model.judged).toEqual([]);
  });

  it('makes 16 kHz mono of what comes, also when the rate changes', async () => {
    const { analyzer, model } = setup();
    for (const [sampleRate, numChannels] of [
      [48_000, 2],
      [8_000, 1],
      [16_000, 1],
    ] as const) {
      const audio = new Int16Array((sampleRate / 10) * numChannels).fill(sampleRate / 10);
      for (let count = 0; count < 5; count += 1) {
        analyzer.appendAudio({ audio, sampleRate, numChannels }, true);
      }
    }
    await analyzer.analyze(signal);
    const sound = model.judged[0] ?? new Int16Array(0);
    // a sample or two are held back where the rate changes
    expect(Math.abs(sound.length - 24_000)).toBeLessThanOrEqual(4);
    expect([sound[4_000], sound[12_000], sound[20_000]]).toEqual([4_800, 800, 1_600]);
  });

  it('does not judge for an aborted signal, and passes on what its model throws', async () => {
    const { analyzer, model, hears } = setup();
    hears(100, true);
    await expect(analyzer.analyze(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(model.judged).toEqual([]);
    model.answer = () => Promise.reject(new PipelineError('broken'));
    await expect(analyzer.analyze(signal)).rejects.toThrow(PipelineError);
  });

  it('loads its model in prepare(), and closes it', async () => {
    const { analyzer, model } = setup();
    await analyzer.prepare();
    analyzer.close();
    expect(model.calls).toEqual(['load', 'close']);
  });

  it.each<[string, unknown]>([
    ['options', undefined],
    ['model', {}],
    ['model', { model: '' }],
    ['model', { model: 8 }],
    ['preSpeechMs', { model: 'm', preSpeechMs: -1 }],
    ['vadStartMs', { model: 'm', vadStartMs: '200' }],
    ['threads', { model: 'm', threads: 0 }],
    ['modell', { model: 'm', modell: 'm' }],
  ])('refuses a wrong "%s" (%j)', (option, options) => {
    const create = () => new SmartTurnAnalyzer(options as SmartTurnAnalyzerOptions);
    expect(create).toThrow(InvalidOptionError);
    expect(create).toThrow(`Option "${option}"`);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
