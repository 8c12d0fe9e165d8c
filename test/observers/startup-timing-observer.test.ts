import { describe, expect, it } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { StartFrame } from '../../src/frames/lifecycle.ts';
import { BotConnectedFrame, ClientConnectedFrame } from '../../src/frames/participants.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  StartupTimingObserver,
  type StartupTimingObserverOptions,
  type StartupTimingReport,
  type TransportTimingReport,
} from '../../src/observers/startup-timing-observer.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../src/processors/frame-processor-setup.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { sleep, useVirtualTime } from '../support/fake-time.ts';
import { hopsFor } from './hops.ts';

/** Takes its time to get ready. */
class Slow extends FrameProcessor {
  readonly #setupMs: number;
  readonly #startMs: number;

  constructor(name: string, { setupMs = 0, startMs = 0 }: { setupMs?: number; startMs?: number }) {
    super({ name });
    this.#setupMs = setupMs;
    this.#startMs = startMs;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    super.setup(setup);
    if (this.#setupMs > 0) await sleep(this.#setupMs);
  }

  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof StartFrame && this.#startMs > 0) await sleep(this.#startMs);
    this.push(frame, direction);
  }
}

function setup(options?: StartupTimingObserverOptions) {
  const observer = new StartupTimingObserver(options);
  const reports: StartupTimingReport[] = [];
  const transportReports: TransportTimingReport[] = [];
  observer.on('startupTimingReported', (report) => reports.push(report));
  observer.on('transportTimingReported', (report) => transportReports.push(report));
  const run = async (processors: readonly FrameProcessor[], ...frames: Frame[]): Promise<void> => {
    const task = new PipelineTask(new Pipeline(processors), { logger: silentLogger, observers: [observer] });
    task.queueFrames(frames);
    task.stopWhenDone();
    await task.run();
  };
  const processor = new IdentityFilter({ name: 'first' });
  const { sees, passes } = hopsFor(observer);
  return { observer, reports, transportReports, run, processor, sees, passes };
}

describe('StartupTimingObserver', () => {
  useVirtualTime();

  it('reports what each processor costs to set up and to start', async () => {
    const { run, reports } = setup();
    await run([new Slow('stt', { setupMs: 60, startMs: 20 }), new Slow('llm', { setupMs: 30, startMs: 40 })]);
    expect(reports).toEqual([
      {
        startedAt: expect.any(Date),
        totalMs: 60 + 20 + 40,
        processors: [
          {
            processor: 'stt',
            setupMs: 60,
            startMs: 20,
            startOffsetMs: 0,
            durationMs: 80,
          },
          {
            processor: 'llm',
            setupMs: 30,
            startMs: 40,
            startOffsetMs: 20,
            durationMs: 70,
          },
        ],
      },
    ]);
  });

  it('reports as total the span, not the sum', async () => {
    const { run, reports } = setup();
    await run([1, 2, 3].map((one) => new Slow(`${one}`, { setupMs: 80 })));
    expect(reports).toMatchObject([{ totalMs: 80, processors: [1, 2, 3].map(() => ({ durationMs: 80 })) }]);
  });

  it('reports once, however many frames follow', async () => {
    const { run, reports } = setup();
    await run([new IdentityFilter()], new TextFrame('a'), new TextFrame('b'));
    expect(reports).toHaveLength(1);
  });

  it('reports only processors of the given classes', async () => {
    const { run, reports } = setup({ processors: [Slow] });
    await run([new IdentityFilter(), new Slow('slow', {}), new IdentityFilter()]);
    expect(reports[0]?.processors.map(({ processor }) => processor)).toEqual(['slow']);
  });

  it('leaves out processors that are made of others, and reports what is inside', async () => {
    const { run, reports } = setup();
    const inside = ['a', 'b', 'c'].map((name) => new IdentityFilter({ name }));
    await run([
      new Pipeline([inside[0] as IdentityFilter]),
      new ParallelPipeline([inside[1] as IdentityFilter], [inside[2] as IdentityFilter]),
    ]);
    expect(reports[0]?.processors.map(({ processor }) => processor)).toEqual(['a', 'b', 'c']);
  });

  it('tells when it began', async () => {
    const { run, reports } = setup();
    const begun = new Date();
    await run([new Slow('slow', { setupMs: 30 })]);
    expect(reports).toMatchObject([{ startedAt: begun }]);
  });

  it('reports from the StartFrame on when it came too late for the setups', () => {
    const { observer, reports, processor, sees } = setup();
    const frame = new StartFrame();
    observer.onProcessFrame({ processor, frame, direction: 'downstream', timestampMs: 900 });
    sees(frame);
    observer.onPipelineStarted();
    expect(reports).toMatchObject([{ totalMs: 100 }]);
  });

  describe('of the transport', () => {
    it('reports when the bot and the first participant were there', async () => {
      const { observer, processor, transportReports, sees, passes } = setup();
      observer.onProcessorSetup({ processor, startedMs: 400, finishedMs: 500 });
      observer.onPipelineStarted();
      sees(new BotConnectedFrame());
      passes(50);
      sees(new ClientConnectedFrame());
      expect(transportReports).toEqual([
        { startedAt: expect.any(Date), botConnectedMs: 600, clientConnectedMs: 650 },
      ]);
    });

    it('reports the first participant only', () => {
      const { observer, transportReports, sees } = setup();
      observer.onPipelineStarted();
      sees(new ClientConnectedFrame());
      sees(new ClientConnectedFrame());
      expect(transportReports).toHaveLength(1);
    });

    it('reports the first connection of the bot only', () => {
      const { observer, processor, transportReports, sees, passes } = setup();
      observer.onProcessorSetup({ processor, startedMs: 400, finishedMs: 500 });
      observer.onPipelineStarted();
      sees(new BotConnectedFrame());
      passes(100);
      sees(new BotConnectedFrame());
      sees(new ClientConnectedFrame());
      expect(transportReports).toMatchObject([{ botConnectedMs: 600, clientConnectedMs: 700 }]);
    });

    it('reports no connection of the bot where the transport does not tell', () => {
      const { observer, transportReports, sees } = setup();
      observer.onPipelineStarted();
      sees(new ClientConnectedFrame());
      expect(transportReports).toMatchObject([{ botConnectedMs: undefined }]);
    });

    it('reports a participant who was there before the StartFrame, once the pipeline has started', () => {
      const { observer, processor, transportReports, sees, passes } = setup();
      sees(new ClientConnectedFrame());
      passes(500);
      observer.onProcessorSetup({ processor, startedMs: 800, finishedMs: 1_400 });
      expect(transportReports).toEqual([]);
      observer.onPipelineStarted();
      expect(transportReports).toMatchObject([{ clientConnectedMs: 200 }]);
    });

    it('reports in a run', async () => {
      const { run, transportReports } = setup();
      await run([new Slow('slow', { setupMs: 40 })], new ClientConnectedFrame());
      expect(transportReports).toMatchObject([{ clientConnectedMs: 40 }]);
    });
  });
});
