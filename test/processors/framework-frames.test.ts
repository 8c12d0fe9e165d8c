import { ignoreElements, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { CancelTaskFrame, EndTaskFrame, StopTaskFrame } from '../../src/frames/lifecycle.ts';
import {
  FrameProcessorPauseFrame,
  FrameProcessorPauseUrgentFrame,
  FrameProcessorResumeFrame,
  FrameProcessorResumeUrgentFrame,
} from '../../src/frames/pause.ts';
import { HeartbeatFrame, PipelineFlushFrame } from '../../src/frames/probes.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { ConsumerProcessor } from '../../src/processors/consumer-processor.ts';
import { DTMFAggregator } from '../../src/processors/dtmf-aggregator.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import { FrameLogger } from '../../src/processors/frame-logger.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { FunctionFilter } from '../../src/processors/function-filter.ts';
import { GatedAggregator } from '../../src/processors/gated-aggregator.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { IdleFrameProcessor } from '../../src/processors/idle-frame-processor.ts';
import { operatorProcessor } from '../../src/processors/operator-processor.ts';
import { ProducerProcessor } from '../../src/processors/producer-processor.ts';
import { SentenceAggregator } from '../../src/processors/sentence-aggregator.ts';
import { VADProcessor } from '../../src/vad/vad-processor.ts';
import { classesOf, startPipeline, textsOf } from '../support/start-pipeline.ts';

const never = (): boolean => false;
const always = (): boolean => true;
const fails = (): never => {
  throw new Error('no opinion');
};
const brokenLogger: Logger = { debug: fails, info: fails, warn: fails, error: fails };
const aProducer = new ProducerProcessor({ filter: never });

const stock: Record<string, () => FrameProcessor> = {
  'FrameFilter of nothing': () => new FrameFilter([]),
  'FunctionFilter that agrees to nothing': () =>
    new FunctionFilter(never, { direction: 'both', filterSystemFrames: true }),
  'FunctionFilter that agrees to nothing, later': () =>
    new FunctionFilter(async () => false, { direction: 'both', filterSystemFrames: true }),
  'FunctionFilter that throws': () =>
    new FunctionFilter(fails, { direction: 'both', filterSystemFrames: true }),
  'FunctionFilter that never answers': () =>
    new FunctionFilter((frame) => (frame instanceof TextFrame ? new Promise(() => {}) : false)),
  'closed GatedAggregator': () => new GatedAggregator({ open: never, close: always }),
  'closed GatedAggregator upstream': () =>
    new GatedAggregator({ open: never, close: always, direction: 'upstream' }),
  'GatedAggregator that throws': () => new GatedAggregator({ open: fails, close: fails }),
  IdentityFilter: () => new IdentityFilter(),
  'operatorProcessor that emits nothing': () => operatorProcessor(ignoreElements()),
  'operatorProcessor that throws': () => operatorProcessor(map(fails)),
  'ProducerProcessor that takes everything': () =>
    new ProducerProcessor({ filter: always, passthrough: false }),
  'ProducerProcessor that throws': () => new ProducerProcessor({ filter: fails }),
  ConsumerProcessor: () => new ConsumerProcessor(aProducer),
  SentenceAggregator: () => new SentenceAggregator(),
  DTMFAggregator: () => new DTMFAggregator(),
  IdleFrameProcessor: () => new IdleFrameProcessor({ timeoutMs: 60_000, onIdle: () => {} }),
  EndWhenAlone: () => new EndWhenAlone(),
  'FrameLogger with a logger that throws': () => new FrameLogger({ logger: brokenLogger }),
  VADProcessor: () => new VADProcessor(),
};

const nobody = { name: 'nobody' };
const own: readonly (() => Frame)[] = [
  () => new EndTaskFrame(),
  () => new StopTaskFrame(),
  () => new CancelTaskFrame(),
  () => new InterruptionTaskFrame(),
  () => new PipelineFlushFrame(),
  () => new HeartbeatFrame(0),
  () => new FrameProcessorPauseFrame(nobody),
  () => new FrameProcessorPauseUrgentFrame(nobody),
  () => new FrameProcessorResumeFrame(nobody),
  () => new FrameProcessorResumeUrgentFrame(nobody),
];

async function passed(processor: FrameProcessor, frame: Frame, direction: FrameDirection): Promise<number> {
  const { task, down, up, run } = await startPipeline([processor]);
  task.queueFrame(frame, direction);
  task.stopWhenDone();
  await run;
  const { frames } = direction === 'downstream' ? down : up;
  return frames.filter((one) => one === frame).length;
}

describe.each(Object.entries(stock))("%s and the framework's own frames", (_, make) => {
  it.each(['downstream', 'upstream'] as const)('passes each of them once, %s', async (direction) => {
    const counts: Record<string, number> = {};
    for (const makeFrame of own) {
      const frame = makeFrame();
      counts[frame.constructor.name] = await passed(make(), frame, direction);
    }
    expect(counts).toEqual(Object.fromEntries(own.map((one) => [one().constructor.name, 1])));
  });

  it('lets the call be ended from either side', async () => {
    for (const direction of ['downstream', 'upstream'] as const) {
      const { task, run } = await startPipeline([make()]);
      task.queueFrame(new EndTaskFrame('goodbye'), direction);
      expect(await run).toMatchObject({ reason: 'ended', frame: { reason: 'goodbye' }, forced: false });
    }
  });
});

describe('a ProducerProcessor that takes everything', () => {
  it("hands none of the framework's own frames to its consumers", async () => {
    const producer = new ProducerProcessor({ filter: always, passthrough: false });
    const { task, down, run } = await startPipeline([producer, new ConsumerProcessor(producer)]);
    task.queueFrame(new TextFrame('a'));
    await task.flush();
    task.stopWhenDone();
    await run;
    expect(textsOf(down.frames)).toEqual(['a']);
    const names = classesOf(down.frames);
    expect(names.sort()).toEqual(['EndFrame', 'PipelineFlushFrame', 'StartFrame', 'TextFrame']);
  });
});
