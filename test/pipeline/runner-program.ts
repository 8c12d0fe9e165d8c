/**
 * A bot's program, for tests of signals and exit codes: `runner-program.ts <scenario> [json options]`.
 *
 * Tells one JSON object per line what happens; the text frame `hello` waits in the pipeline where a scenario
 * needs something under way.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner, type PipelineRunnerOptions } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../src/processors/frame-processor-setup.ts';
import type { LiveKitRESTHelperOptions } from '../../src/rooms/rest/livekit-rest-helper.ts';

export interface ProgramOptions {
  readonly runner?: Omit<PipelineRunnerOptions, 'logger'>;
  readonly task?: Omit<PipelineTaskOptions, 'logger'>;
  /** How long the exit hook takes, in milliseconds; -1 for ever. Default 0. */
  readonly hookMs?: number;
  /** What the exit hook reports. Default nothing. */
  readonly hookExitCode?: number;
  /** How long a text frame takes, in milliseconds; -1 for ever, `null` likewise but with nothing that keeps the process alive. Default 0. */
  readonly frameMs?: number | null;
  /** Whether CancelFrames get stuck. */
  readonly hangsOnCancel?: boolean;
  /** How long the exit hook of a second runner takes, in milliseconds. Default no second runner. */
  readonly secondHookMs?: number;
  /** What that hook reports. Default nothing. */
  readonly secondHookExitCode?: number;
  /** Whether the setup never ends. */
  readonly hangsInSetup?: boolean;
  /** How many frames of sound wait in front of a processor that never finishes one. Default no such processor. */
  readonly waitingSound?: number;
  /** A room that is deleted at the end. Default none. */
  readonly room?: { readonly roomName: string; readonly rest: LiveKitRESTHelperOptions };
}

const [scenario = 'waits', json = '{}'] = process.argv.slice(2);
const options: ProgramOptions = JSON.parse(json);

function tell(event: string, facts: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
}

/** Waits; -1 for ever, with something that keeps the process alive; `null` without. */
function wait(ms: number | null): Promise<unknown> {
  if (ms === null) return new Promise(() => {});
  return ms < 0 ? new Promise(() => setInterval(() => {}, 1_000)) : sleep(ms);
}

class Bot extends FrameProcessor {
  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    super.setup(setup);
    setup.onExit('room', async ({ result }) => {
      tell('hook', { reason: result.reason });
      await wait(options.hookMs ?? 0);
      tell('hookDone');
      if (options.hookExitCode !== undefined) return { exitCode: options.hookExitCode };
    });
    if (options.hangsInSetup) return new Promise(() => {});
  }

  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof TextFrame) await wait(options.frameMs === undefined ? 0 : options.frameMs);
    if (frame.frameRole === 'cancel' && options.hangsOnCancel) await wait(-1);
    if (frame instanceof InputAudioRawFrame) await wait(-1);
    this.push(frame, direction);
    if (frame instanceof TextFrame) tell('played', { text: frame.text });
  }

  override cleanup(): void {
    super.cleanup();
    tell('cleanup');
  }
}

/** Loaded only where it is wanted: most of the programs have no room. */
async function newCleanup({ roomName, rest }: NonNullable<ProgramOptions['room']>): Promise<FrameProcessor> {
  const { RoomCleanupProcessor } = await import('../../src/cleanup/room-cleanup-processor.ts');
  const { LiveKitRESTHelper } = await import('../../src/rooms/rest/livekit-rest-helper.ts');
  return new RoomCleanupProcessor({
    roomName,
    rest: new LiveKitRESTHelper(rest),
    guardian: false,
    logger: silentLogger,
  });
}

const { room, waitingSound = 0 } = options;
const cleanup = room === undefined ? [] : [await newCleanup(room)];
const task = new PipelineTask(new Pipeline([...cleanup, new Bot()]), {
  logger: silentLogger,
  ...options.task,
});
for (let count = 0; count < waitingSound; count += 1) {
  task.queueFrame(new InputAudioRawFrame({ audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 }));
}
const runner = new PipelineRunner({ logger: silentLogger, ...options.runner });
process.on('exit', (code) => tell('exit', { code }));
task.on('started', () => tell('started'));
task.lifecycle$.subscribe(({ phase, frame }) => tell(`${phase} ${frame.constructor.name}`));

const scenarios: Record<string, () => void> = {
  /** Runs until somebody ends it. */
  waits: () => {
    task.queueFrame(new TextFrame('hello'));
  },
  ends: () => task.queueFrames([new TextFrame('hello'), new EndFrame()]),
  cancels: () => void task.once('started', () => task.cancel()),
  /** Is cancelled before it has started. */
  cancelsEarly: () => void setImmediate(() => task.cancel()),
  throws: () =>
    void task.once('started', () =>
      setImmediate(() => {
        throw new Error('thrown on purpose');
      }),
    ),
  rejects: () =>
    void task.once('started', () =>
      setImmediate(() => void Promise.reject(new Error('rejected on purpose'))),
    ),
  /** Its main part returns, with nothing left that would keep the process alive. */
  forgets: () => {},
};
scenarios[scenario]?.();

const { secondHookMs, secondHookExitCode } = options;
if (secondHookMs !== undefined) {
  class SecondBot extends FrameProcessor {
    override setup(setup: FrameProcessorSetup): void | Promise<void> {
      setup.onExit('second room', async () => {
        await wait(secondHookMs ?? 0);
        tell('secondHookDone');
        if (secondHookExitCode !== undefined) return { exitCode: secondHookExitCode };
      });
      return super.setup(setup);
    }

    protected override process(frame: Frame, direction: FrameDirection): void {
      this.push(frame, direction);
    }
  }
  const second = new PipelineTask(new Pipeline([new SecondBot()]), { logger: silentLogger });
  void new PipelineRunner({ logger: silentLogger }).run(second).then(() => tell('secondResults'));
}

runner.run(task).then(
  (results) => {
    tell('results', {
      reasons: results.map(({ reason }) => reason),
      forced: results.map(({ forced }) => forced),
    });
    tell('listeners', {
      left: ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'beforeExit'].filter(
        (event) => process.listenerCount(event) > 0,
      ),
    });
  },
  (error: unknown) => tell('rejected', { error: String(error) }),
);
