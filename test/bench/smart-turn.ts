/**
 * Smart turn's verdicts, with the real model: `npm run build && node --import ./test/support/typescript-loader.mjs
 * test/bench/smart-turn.ts`. How long they take from analyze() on, and how long the event loop is blocked at most, while
 * sound comes in as in a call. `SMART_TURN_MODEL` names another model.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SmartTurnAnalyzer } from '../../src/conversation/turns/smart-turn-analyzer.ts';
import { SmartTurnModel } from '../../src/conversation/turns/smart-turn-model.ts';
import { type Clip, clipPiece, clipRate, smartTurnClips } from '../conformance/smart-turn-clips.ts';
import { installOnnx } from '../support/install-onnx.ts';
import { smartTurnModelFile } from '../support/smart-turn-model-file.ts';

const { signal } = new AbortController();
const path = await smartTurnModelFile();
const packagesFrom = [join(await installOnnx(), 'index.js')];
const clips = await smartTurnClips();

/** The longest time, in milliseconds, for which nothing else could run; the sound of a call comes meanwhile. */
function watchLoop(analyzer: SmartTurnAnalyzer): { stop(): number } {
  let longest = 0;
  let last = performance.now();
  const look = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  const piece = { audio: new Int16Array(clipPiece), sampleRate: clipRate, numChannels: 1 };
  const sound = setInterval(() => analyzer.appendAudio(piece, false), 20);
  return {
    stop: () => {
      clearInterval(look);
      clearInterval(sound);
      return longest;
    },
  };
}

function hear(analyzer: SmartTurnAnalyzer, { audio, isSpeech }: Clip): void {
  analyzer.reset();
  for (const [index, flag] of isSpeech.entries()) {
    const piece = audio.subarray(index * clipPiece, (index + 1) * clipPiece);
    analyzer.appendAudio({ audio: piece, sampleRate: clipRate, numChannels: 1 }, flag);
  }
}

/** How long a loop is blocked that has nothing to do: what the machine does to any process. */
async function measureIdle(): Promise<void> {
  const analyzer = new SmartTurnAnalyzer(
    { model: path },
    new SmartTurnModel({ path, threads: 1, packagesFrom }),
  );
  const blocked: number[] = [];
  for (let count = 0; count < clips.length; count += 1) {
    const loop = watchLoop(analyzer);
    await sleep(100);
    blocked.push(loop.stop());
  }
  report({
    'without verdicts, loop blocked p50 ms': quantile(blocked, 0.5),
    'at most ms': quantile(blocked, 1),
  });
}

async function measure(threads: number): Promise<void> {
  const analyzer = new SmartTurnAnalyzer(
    { model: path },
    new SmartTurnModel({ path, threads, packagesFrom }),
  );
  const starting = watchLoop(analyzer);
  const begin = performance.now();
  await analyzer.prepare();
  const prepareMs = performance.now() - begin;
  const blockedAtStartMs = starting.stop();

  const times: number[] = [];
  const blocked: number[] = [];
  for (const clip of clips) {
    hear(analyzer, clip);
    await sleep(20);
    const loop = watchLoop(analyzer);
    await sleep(5);
    const from = performance.now();
    await analyzer.analyze(signal);
    times.push(performance.now() - from);
    blocked.push(loop.stop());
  }
  analyzer.close();
  report({
    threads,
    'prepare() ms': prepareMs.toFixed(0),
    'loop blocked by that at most ms': blockedAtStartMs.toFixed(1),
    'verdict p50 ms': quantile(times, 0.5),
    'p95 ms': quantile(times, 0.95),
    'max ms': quantile(times, 1),
    'loop blocked p50 ms': quantile(blocked, 0.5),
    'at most ms': quantile(blocked, 1),
  });
}

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(1);
}

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line).replaceAll('"', '').replaceAll(',', ', ')}\n`);
}

await measureIdle();
for (const threads of [1, 2]) await measure(threads);
