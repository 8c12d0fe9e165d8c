import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmartTurnAnalyzer } from '../../src/conversation/turns/smart-turn-analyzer.ts';
import { SmartTurnModel } from '../../src/conversation/turns/smart-turn-model.ts';
import { installOnnx, onnxRuntimeVersion } from '../support/install-onnx.ts';
import { smartTurnModelFile } from '../support/smart-turn-model-file.ts';
import { type Clip, clipPiece, clipRate, digestOf, smartTurnClips } from './smart-turn-clips.ts';
import { smartTurnFigures } from './smart-turn-figures.ts';

const needed = await Promise.all([smartTurnModelFile(), installOnnx()]).catch((error: unknown) =>
  String(error),
);
const isMissing = typeof needed === 'string';
const title = `smart turn v3${isMissing ? ` [without its model or onnxruntime-node: ${needed}]` : ''}`;

describe.skipIf(isMissing)(title, () => {
  let clips: Clip[];
  let analyzer: SmartTurnAnalyzer;

  beforeAll(async () => {
    clips = await smartTurnClips();
    const [model = '', packages = ''] = needed;
    const packagesFrom = [join(packages, 'index.js')];
    analyzer = new SmartTurnAnalyzer(
      { model },
      new SmartTurnModel({ path: model, threads: 2, packagesFrom }),
    );
    await analyzer.prepare();
  });
  afterAll(() => analyzer?.close());

  async function judge({ audio, isSpeech }: Clip): Promise<number> {
    analyzer.reset();
    for (const [index, flag] of isSpeech.entries()) {
      const piece = audio.subarray(index * clipPiece, (index + 1) * clipPiece);
      analyzer.appendAudio({ audio: piece, sampleRate: clipRate, numChannels: 1 }, flag);
    }
    return (await analyzer.analyze(new AbortController().signal)).probability;
  }

  // recorded there; another kind of processor computes otherwise
  it.skipIf(process.arch !== 'x64')('judges fifty clips as Pipecat does', async () => {
    expect(smartTurnFigures.recordedWith.onnxruntime).toBe(onnxRuntimeVersion);
    expect(clips.map((clip) => [clip.name, digestOf(clip)])).toEqual(
      smartTurnFigures.clips.map(({ name, sha256 }) => [name, sha256]),
    );
    expect(clips).toHaveLength(50);
    const far: unknown[] = [];
    for (const [index, clip] of clips.entries()) {
      const expected = smartTurnFigures.clips[index]?.probability ?? Number.NaN;
      const probability = await judge(clip);
      if (!(Math.abs(probability - expected) <= 0.01)) far.push({ clip: clip.name, probability, expected });
    }
    expect(far).toEqual([]);
  });

  it('leaves the event loop alone', async () => {
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const [clip] = clips as [Clip];
    await judge(clip);
    const before = performance.eventLoopUtilization();
    delays.enable();
    for (let count = 0; count < 10; count += 1) await judge(clip);
    delays.disable();
    // of a verdict of 60 ms or more this thread computes nothing
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.2);
    expect(delays.percentile(50) / 1e6).toBeLessThan(10);
  });
});
