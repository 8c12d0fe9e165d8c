import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/frames/frame.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { TTSStartedFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { ConsumerProcessor } from '../../src/processors/consumer-processor.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { ProducerProcessor, type ProducerProcessorOptions } from '../../src/processors/producer-processor.ts';
import { runTest, SleepFrame } from '../../src/testing/run-test.ts';
import { useVirtualTime } from '../support/fake-time.ts';
import { textsOf } from '../support/start-pipeline.ts';

const producerOf = (options: Partial<ProducerProcessorOptions> = {}): ProducerProcessor =>
  new ProducerProcessor({ filter: (frame) => frame instanceof TextFrame, ...options });

const copyOf = (frame: Frame): Frame => new LLMTextFrame(`copy of ${textsOf([frame])[0]}`);

async function textsThrough(...processors: FrameProcessor[]): Promise<string[]> {
  const { downFrames } = await runTest(new Pipeline(processors), {
    framesToSend: [new TextFrame('a'), new SleepFrame(5), new TTSStartedFrame()],
  });
  return textsOf(downFrames);
}

describe('ProducerProcessor', () => {
  useVirtualTime();

  it('sends the frame to the consumer first, then on', async () => {
    const producer = producerOf();
    const consumer = new ConsumerProcessor(producer, { transform: copyOf });
    expect(await textsThrough(producer, consumer)).toEqual(['copy of a', 'a']);
  });

  it('sends the frame to the consumer only', async () => {
    const producer = producerOf({ passthrough: false });
    expect(await textsThrough(producer, new ConsumerProcessor(producer))).toEqual(['a']);
  });

  it('sends the frame to every consumer, transformed anew for each', async () => {
    let made = 0;
    const producer = producerOf({
      passthrough: false,
      transform: () => {
        made += 1;
        return new TextFrame(`number ${made}`);
      },
    });
    const consumers = [new ConsumerProcessor(producer), new ConsumerProcessor(producer)];
    expect((await textsThrough(producer, ...consumers)).sort()).toEqual(['number 1', 'number 2']);
  });

  it('reaches a consumer in another branch', async () => {
    const producer = producerOf({ passthrough: false });
    const branches = new ParallelPipeline(
      [producer],
      [
        new ProducerProcessor({ filter: () => false }),
        new ConsumerProcessor(producer, { transform: copyOf }),
      ],
    );
    expect(await textsThrough(branches)).toEqual(expect.arrayContaining(['copy of a']));
  });

  it('transforms what the consumers get, not what goes on', async () => {
    const producer = producerOf({ transform: copyOf });
    expect(await textsThrough(producer, new ConsumerProcessor(producer))).toEqual(['copy of a', 'a']);
  });

  it('passes everything else', async () => {
    const producer = producerOf({ passthrough: false });
    await runTest(new Pipeline([producer, new ConsumerProcessor(producer)]), {
      framesToSend: [new TTSStartedFrame()],
      expectedDownFrames: [TTSStartedFrame],
    });
  });
});
