/** A bot with a transport in memory, as a story: it speaks, people come and go, it is ended. */

import { onTestFinished } from 'vitest';
import { OutputAudioRawFrame, TTSAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { MemoryTransport, type MemoryTransportOptions } from '../../src/testing/memory-transport.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';

export const sampleRate = 16_000;

export interface TestCall {
  readonly transport: MemoryTransport;
  readonly task: PipelineTask;
  /** Between input and output. */
  readonly inside: FrameRecorder;
  /** Behind the output. */
  readonly behind: FrameRecorder;
  readonly result: Promise<PipelineResult>;
  says(...frames: readonly Frame[]): void;
}

/** A bot that has started. */
export async function startCall(
  options: MemoryTransportOptions = {},
  { transport = new MemoryTransport(options), between = [], ...taskOptions }: TalkOptions = {},
): Promise<TestCall> {
  const inside = new FrameRecorder();
  const behind = new FrameRecorder();
  const pipeline = new Pipeline([transport.input(), inside, ...between, transport.output(), behind]);
  const task = new PipelineTask(pipeline, {
    audioOutSampleRate: sampleRate,
    logger: silentLogger,
    ...taskOptions,
  });
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  const result = task.run();
  onTestFinished(async () => {
    task.cancel();
    await result;
  });
  await started;
  const says = (...frames: readonly Frame[]): void => task.queueFrames(frames);
  return { transport, task, inside, behind, result, says };
}

export interface TalkOptions extends PipelineTaskOptions {
  readonly transport?: MemoryTransport;
  /** Before the output. */
  readonly between?: readonly FrameProcessor[];
}

/** Never lets an EndFrame go. */
export class Clings extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame instanceof EndFrame) return new Promise(() => {});
    this.push(frame, direction);
  }
}

/** Samples that count up, so that one that is missing, or twice there, is seen. */
export function ramp(ms: number, from = 0, rateHz: number = sampleRate): Int16Array {
  return Int16Array.from({ length: (ms * rateHz) / 1_000 }, (_, index) => from + index);
}

export function sound(ms: number, from?: number): OutputAudioRawFrame {
  return new OutputAudioRawFrame({ audio: ramp(ms, from), sampleRate, numChannels: 1 });
}

export function speech(ms: number): TTSAudioRawFrame {
  return new TTSAudioRawFrame({ audio: ramp(ms), sampleRate, numChannels: 1 });
}

/** All samples that were heard, in one piece. */
export function heardSamples({ transport }: TestCall): number[] {
  return transport.played.flatMap(({ audio }) => [...audio]);
}

/** Class names, without those of the start and of what the bot's speech repeats. */
export function namesOf(frames: readonly Frame[]): string[] {
  return frames
    .map((frame) => frame.constructor.name)
    .filter((name) => !['StartFrame', 'BotConnectedFrame', 'BotSpeakingFrame'].includes(name));
}
