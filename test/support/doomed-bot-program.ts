/** A bot for fault tests: a pipeline with a RoomCleanupProcessor, and a way to die; its orders come from doomed-bot.ts. */

import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { guardian } from '../../src/rooms/guardian.ts';
import { LiveKitRESTHelper, type LiveKitRESTHelperOptions } from '../../src/rooms/livekit-rest-helper.ts';
import type { RoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import type { BotCommand, BotEvent } from './doomed-bot.ts';

export interface DoomedBotProgram {
  readonly rest: LiveKitRESTHelperOptions;
  readonly room: Omit<RoomDeleterOptions, 'rest'>;
  /** Without a runner nobody catches what is thrown. */
  readonly handleProcessEvents: boolean;
  readonly stays: boolean;
}

const { rest, room, handleProcessEvents, stays } = JSON.parse(
  process.env.BOT_PROGRAM ?? '',
) as DoomedBotProgram;
delete process.env.BOT_PROGRAM;

function tell(event: BotEvent): void {
  process.send?.(event);
}

const ways: Record<Extract<BotCommand, { command: 'die' }>['how'], () => unknown> = {
  abort: () => process.abort(),
  SIGSEGV: () => process.kill(process.pid, 'SIGSEGV'),
  SIGQUIT: () => process.kill(process.pid, 'SIGQUIT'),
  'out of memory': () => {
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(10_000).fill(kept.length));
  },
  'process.exit': () => process.exit(0),
  'uncaught throw': () => {
    throw new Error('a bug in user code');
  },
  'unhandled rejection': () => void Promise.reject(new Error('a bug in user code')),
  'endless loop': () => {
    for (;;);
  },
};

const cleanup = new RoomCleanupProcessor({ ...room, rest: new LiveKitRESTHelper(rest) });
const task = new PipelineTask(new Pipeline([cleanup]), { idleTimeoutMs: null });
cleanup.outcome$.subscribe((outcome) => tell({ event: 'outcome', outcome: { ...outcome } }));
cleanup.on('roomReappeared', (reappearance) => tell({ event: 'roomReappeared', reappearance }));
task.on('started', () => tell({ event: 'started' }));
process.on('message', (command: BotCommand) => {
  // in a turn of its own: what is thrown must be uncaught
  if (command.command === 'die') setImmediate(ways[command.how]);
  else if (command.command === 'end') task.stopWhenDone();
  else if (command.command === 'cancel') task.cancel();
  else if (command.command === 'block') {
    const until = Date.now() + command.ms;
    while (Date.now() < until);
  } else tell({ event: 'guardian', pid: guardian.pid, armed: guardian.armed });
});
process.channel?.unref();
const results = new PipelineRunner({ handleProcessEvents }).run(task);
const keepAlive = setInterval(() => {}, 1_000);
await results;
if (!stays) clearInterval(keepAlive);
