import { describe, expect, it } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { ConsumerProcessor } from '../../src/processors/consumer-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { ProducerProcessor } from '../../src/processors/producer-processor.ts';
import { FrameRecorder, runTest, SleepFrame } from '../../src/testing/run-test.ts';
import { passes, useFakeTime, useVirtualTime } from '../support/fake-time.ts';
import { textsOf } from '../support/start-pipeline.ts';

const producerOf = (passthrough = false): ProducerProcessor =>
  new ProducerProcessor({ filter: (frame) => frame instanceof TextFrame, passthrough });

/** A producer and a consumer that stand side by side, outside of any pipeline. */
function sideBySide() {
  const producer = producerOf();
  const consumer = new ConsumerProcessor(producer);
  const recorder = new FrameRecorder();
  consumer.link(recorder);
  producer.queueFrame(new StartFrame());
  const produces = async (text: string): Promise<void> => {
    producer.queueFrame(new TextFrame(text));
    await passes(0);
  };
  const consumerGets = async (...frames: Parameters<ConsumerProcessor['queueFrame']>[0][]): Promise<void> => {
    for (const frame of frames) consumer.queueFrame(frame);
    await passes(0);
  };
  return { consumer, produces, consumerGets, texts: () => textsOf(recorder.frames) };
}

describe('ConsumerProcessor', () => {
  describe('in a pipeline', () => {
    useVirtualTime();

    it('reaches a consumer that stands ahead of it', async () => {
      const producer = producerOf();
      const consumer = new ConsumerProcessor(producer, { direction: 'upstream' });
      const { upFrames } = await runTest(new Pipeline([consumer, new IdentityFilter(), producer]), {
        framesToSend: [new TextFrame('back'), new SleepFrame(5)],
      });
      expect(textsOf(upFrames)).toEqual(['back']);
    });

    it('transforms what it gets', async () => {
      const producer = producerOf();
      const consumer = new ConsumerProcessor(producer, { transform: () => new LLMTextFrame('mine') });
      await runTest(new Pipeline([producer, consumer]), {
        framesToSend: [new TextFrame('a'), new SleepFrame(5)],
        expectedDownFrames: [LLMTextFrame],
      });
    });

    it.each([
      [
        'cannot',
        () => {
          throw new Error('cannot');
        },
      ],
      [expect.stringContaining('must be a Frame'), () => undefined as unknown as Frame],
    ])('reports a failing transform as its own, and the producer goes on: %s', async (error, transform) => {
      const producer = producerOf(true);
      const consumer = new ConsumerProcessor(producer, { transform });
      const { upFrames } = await runTest(new Pipeline([producer, consumer]), {
        framesToSend: [new TextFrame('a')],
        expectedDownFrames: [TextFrame],
        expectedUpFrames: [ErrorFrame],
      });
      expect(upFrames).toMatchObject([{ error, processor: consumer }]);
    });
  });

  describe('beside its producer', () => {
    useFakeTime();

    it('takes nothing before its StartFrame', async () => {
      const { produces, consumerGets, texts } = sideBySide();
      await produces('too early');
      await consumerGets(new StartFrame());
      await produces('in time');
      expect(texts()).toEqual(['in time']);
    });

    it.each([new EndFrame(), new StopFrame(), new CancelFrame()])(
      'takes nothing after a %s',
      async (last) => {
        const { produces, consumerGets, texts } = sideBySide();
        await consumerGets(new StartFrame(), last);
        await produces('too late');
        expect(texts()).toEqual([]);
      },
    );

    it('takes nothing after its cleanup', async () => {
      const { consumer, produces, consumerGets, texts } = sideBySide();
      await consumerGets(new StartFrame());
      await consumer.cleanup();
      await produces('too late');
      expect(texts()).toEqual([]);
    });

    it('keeps what it took in its own queue, where an interruption drops it', async () => {
      const { consumer, produces, consumerGets, texts } = sideBySide();
      await consumerGets(new StartFrame());
      consumer.pauseProcessingFrames();
      await produces('dropped');
      await consumerGets(new InterruptionFrame());
      await produces('kept');
      expect(texts()).toEqual(['kept']);
    });
  });
});
