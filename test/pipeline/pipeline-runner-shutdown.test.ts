/** How long a shutdown may take, in virtual time; that real signals get there is pipeline-runner.test.ts. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { UserSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner, type PipelineRunnerOptions } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { ExitHook, PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { FaultyProcessor, HangsOn, never, pass, WithExitHook } from './faults.ts';

/** Takes so long for each text. */
class Speaker extends FrameProcessor {
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof TextFrame) await new Promise((resolve) => setTimeout(resolve, this.#ms));
    this.push(frame, direction);
  }
}

const isSpeech = (frame: Frame): boolean => frame instanceof UserSpeakingFrame;

const events = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'uncaughtException',
  'unhandledRejection',
  'beforeExit',
] as const;

describe('a shutdown', () => {
  let exits: (number | string | null | undefined)[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    exits = [];
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      exits.push(code);
      return undefined as never;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  async function setup(
    processors: readonly FrameProcessor[],
    runnerOptions: PipelineRunnerOptions = {},
    taskOptions: PipelineTaskOptions = {},
  ) {
    const before = new Map(events.map((event) => [event, process.listeners(event as 'SIGINT')]));
    const hooked = vi.fn<ExitHook>();
    const task = new PipelineTask(new Pipeline([new WithExitHook(hooked), ...processors]), {
      logger: silentLogger,
      ...taskOptions,
    });
    const runner = new PipelineRunner({ logger: silentLogger, ...runnerOptions });
    let results: readonly PipelineResult[] = [];
    void runner.run(task).then((all) => {
      results = all;
    });
    await pass(0);
    const ownListeners = (event: (typeof events)[number]) =>
      process.listeners(event as 'SIGINT').filter((listener) => !before.get(event)?.includes(listener));
    return {
      task,
      hooked,
      reasons: () => results.map(({ reason }) => reason),
      /** As the process would tell the runner, and nobody else. */
      happens: (event: (typeof events)[number]) => {
        for (const listener of ownListeners(event)) listener(event as 'SIGINT');
      },
      listening: () => events.filter((event) => ownListeners(event).length > 0),
    };
  }

  it('listens while it runs, and no longer', async () => {
    const { task, listening } = await setup([]);
    expect(listening()).toEqual(events);
    task.stopWhenDone();
    await pass(0);
    expect(listening()).toEqual([]);
    expect(exits).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over at once where nothing holds it up', async () => {
    const { happens, reasons } = await setup([new Speaker(60_000)]);
    happens('SIGTERM');
    await pass(0);
    expect(reasons()).toEqual(['cancelled']);
    expect(exits).toEqual([0]);
  });

  it('gives up on a processor that hangs on the cancel before the budget is over', async () => {
    const { happens, hooked, reasons } = await setup(
      [new FaultyProcessor('hangs', 'cancel'), new FaultyProcessor('hangs', 'cancel')],
      { shutdownBudgetMs: 1_000 },
      { cancelTimeoutMs: 10_000 },
    );
    happens('SIGTERM');
    await pass(999);
    expect(hooked).toHaveBeenCalledOnce();
    expect(reasons()).toEqual(['cancelled']);
    expect(exits).toEqual([0]);
  });

  it('aborts an exit hook before the budget is over', async () => {
    const aborted = vi.fn();
    const hook: ExitHook = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted();
          resolve();
        });
      });
    const { happens } = await setup([new WithExitHook(hook)], { shutdownBudgetMs: 1_000 });
    happens('SIGTERM');
    await pass(999);
    expect(aborted).toHaveBeenCalledOnce();
    expect(exits).toEqual([0]);
  });

  it('exits with code 3 when the budget is over', async () => {
    const hook: ExitHook = () => never;
    const { happens } = await setup([new WithExitHook(hook), new WithExitHook(hook)], {
      shutdownBudgetMs: 300,
    });
    happens('SIGTERM');
    await pass(299);
    expect(exits).toEqual([]);
    await pass(1);
    expect(exits).toEqual([3]);
  });

  it.each([null, 2_000, 60_000])(
    'runs the exit hooks and exits with 0 while processors hang, with a cancel limit of %s ms',
    async (cancelTimeoutMs) => {
      const hook: ExitHook = () => new Promise((resolve) => setTimeout(resolve, 2_000));
      const { task, happens, hooked, reasons } = await setup(
        [new WithExitHook(hook), ...Array.from({ length: 10 }, () => new HangsOn(isSpeech))],
        {},
        { cancelTimeoutMs },
      );
      task.queueFrames(Array.from({ length: 1_000 }, () => new UserSpeakingFrame()));
      await pass(0);
      happens('SIGTERM');
      while (exits.length === 0 && performance.now() < 8_000) await pass(100);
      expect(hooked).toHaveBeenCalledOnce();
      expect(reasons()).toEqual(['cancelled']);
      expect(exits).toEqual([0]);
    },
  );

  it('runs all exit hooks and exits with 0 although three of them hang', async () => {
    const hangs = Array.from({ length: 3 }, () => new WithExitHook(() => never));
    const { happens, hooked } = await setup(hangs);
    happens('SIGTERM');
    while (exits.length === 0 && performance.now() < 8_000) await pass(100);
    expect(hooked).toHaveBeenCalledOnce();
    expect(exits).toEqual([0]);
  });

  it.each(['cancel', 'end'] as const)(
    'exits with 0 within the budget although everything hangs, with onSignal: %s',
    async (onSignal) => {
      const hangs = Array.from(
        { length: 3 },
        () =>
          new (class extends HangsOn {
            override cleanup(): Promise<void> {
              return never;
            }
          })(() => true),
      );
      const { happens, hooked, reasons } = await setup(
        [...hangs, new WithExitHook(() => never)],
        { onSignal },
        {
          cancelTimeoutMs: 60_000,
          cleanupTimeoutMs: 60_000,
          observers: [{ onProcessFrame: () => never, cleanup: () => never }],
        },
      );
      happens('SIGTERM');
      while (exits.length === 0 && performance.now() < 8_000) await pass(100);
      expect(hooked).toHaveBeenCalledOnce();
      expect(reasons()).toEqual(['cancelled']);
      expect(exits).toEqual([0]);
    },
  );

  it('begins the exit hooks at a second signal although a processor hangs', async () => {
    const { happens, hooked } = await setup([new HangsOn(() => true)]);
    happens('SIGTERM');
    await pass(100);
    expect(hooked).not.toHaveBeenCalled();
    happens('SIGTERM');
    await pass(200);
    expect(hooked).toHaveBeenCalledOnce();
    expect(exits).toEqual([143]);
  });

  it("plays what was queued with onSignal: 'end'", async () => {
    const { task, happens, reasons } = await setup([new Speaker(500)], { onSignal: 'end' });
    task.queueFrames([new TextFrame('good'), new TextFrame('bye')]);
    happens('SIGTERM');
    await pass(999);
    expect(reasons()).toEqual([]);
    await pass(2); // the exit has a turn of its own
    expect(reasons()).toEqual(['ended']);
    expect(exits).toEqual([0]);
  });

  it("cancels with onSignal: 'end' when the rest of the budget is needed for the cleanup", async () => {
    const { task, happens, reasons } = await setup([new Speaker(60_000)], { onSignal: 'end' });
    task.queueFrame(new TextFrame('a very long goodbye'));
    happens('SIGTERM');
    await pass(5_999);
    expect(reasons()).toEqual([]);
    await pass(2);
    expect(reasons()).toEqual(['cancelled']);
    expect(exits).toEqual([0]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('waits half a second after a second %s, then exits with code %i', async (signal, code) => {
    const { happens } = await setup([new WithExitHook(() => never)]);
    happens(signal);
    await pass(100);
    happens(signal);
    await pass(499);
    expect(exits).toEqual([]);
    await pass(1);
    expect(exits).toEqual([code]);
  });

  it('exits with the code of the second signal as soon as everything is done', async () => {
    const hook: ExitHook = () => new Promise((resolve) => setTimeout(resolve, 300));
    const { happens, reasons } = await setup([new WithExitHook(hook)]);
    happens('SIGINT');
    await pass(100);
    happens('SIGTERM');
    await pass(201);
    expect(reasons()).toEqual(['cancelled']);
    expect(exits).toEqual([143]);
  });

  it.each(['uncaughtException', 'unhandledRejection'] as const)(
    'cancels at an %s, and exits with code 1',
    async (event) => {
      const { happens, hooked } = await setup([]);
      happens(event);
      await pass(0);
      expect(hooked).toHaveBeenCalledOnce();
      expect(exits).toEqual([1]);
    },
  );

  it('goes on at an error in the middle of it', async () => {
    const hook: ExitHook = () => new Promise((resolve) => setTimeout(resolve, 300));
    const { happens, hooked } = await setup([new WithExitHook(hook)]);
    happens('SIGTERM');
    await pass(100);
    happens('uncaughtException');
    await pass(201);
    expect(hooked).toHaveBeenCalledOnce();
    expect(exits).toEqual([1]);
  });

  it('cancels when nothing is left that the process waits for, and does not exit itself', async () => {
    const { happens, reasons } = await setup([]);
    happens('beforeExit');
    await pass(0);
    expect(reasons()).toEqual(['cancelled']);
    expect(exits).toEqual([]);
  });
});
