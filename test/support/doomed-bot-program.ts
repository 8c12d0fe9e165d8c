/** A bot for fault tests: a pipeline whose room is deleted, and a way to die; its orders come from doomed-bot.ts. */

import type { Observable } from 'rxjs';
import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { CancelFrame } from '../../src/frames/lifecycle.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../src/processors/frame-processor-setup.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import { guardian } from '../../src/rooms/guardian/guardian-client.ts';
import {
  LiveKitRESTHelper,
  type LiveKitRESTHelperOptions,
} from '../../src/rooms/rest/livekit-rest-helper.ts';
import type { RoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import type { BotCommand, BotEvent } from './doomed-bot.ts';

export interface DoomedBotProgram {
  readonly rest: LiveKitRESTHelperOptions;
  /** Where it joins; without, it stays outside, with a RoomCleanupProcessor. */
  readonly url: string | undefined;
  readonly room: Omit<RoomDeleterOptions, 'rest'>;
  /** Without a runner nobody catches what is thrown. */
  readonly handleProcessEvents: boolean;
  readonly stays: boolean;
  readonly leaseBeatMs: number | undefined;
  readonly loadMs: number;
}

const { rest, url, room, handleProcessEvents, stays, leaseBeatMs, loadMs } = JSON.parse(
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

function standStill(ms: number): void {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

class Loading extends FrameProcessor {
  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    tell({ event: 'loading' });
    await new Promise(setImmediate);
    standStill(loadMs);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}

/** The pipeline, and where its room's deletion is told. */
function build(): { processors: FrameProcessor[]; outcome$: Observable<RoomDeletionOutcome> } {
  const { roomName, ...deletion } = room;
  if (url === undefined) {
    const cleanup = new RoomCleanupProcessor({ ...room, rest: new LiveKitRESTHelper(rest) });
    cleanup.on('roomReappeared', (reappearance) => tell({ event: 'roomReappeared', reappearance }));
    return { processors: [cleanup], outcome$: cleanup.outcome$ };
  }
  const transport = new LiveKitTransport({
    url,
    roomName,
    identity: 'doomed-bot',
    leaseBeatMs,
    apiKey: rest.apiKey,
    apiSecret: rest.apiSecret,
    deleteRoomOnEnd: { ...deletion, rest: new LiveKitRESTHelper(rest) },
    params: { audioInEnabled: true, audioOutEnabled: true },
  });
  return { processors: [transport.input(), transport.output()], outcome$: transport.outcome$ };
}

const { processors, outcome$ } = build();
const task = new PipelineTask(new Pipeline(loadMs > 0 ? [...processors, new Loading()] : processors), {
  idleTimeoutMs: null,
});
outcome$.subscribe((outcome) => tell({ event: 'outcome', outcome }));
task.on('started', () => tell({ event: 'started' }));
task.lifecycle$.subscribe(({ phase, frame }) => {
  if (phase === 'entered' && frame instanceof CancelFrame) tell({ event: 'cancelling' });
});
process.on('message', (command: BotCommand) => {
  // in a turn of its own: what is thrown must be uncaught
  if (command.command === 'die') setImmediate(ways[command.how]);
  else if (command.command === 'end') task.stopWhenDone();
  else if (command.command === 'cancel') task.cancel();
  else if (command.command === 'block') standStill(command.ms);
  else tell({ event: 'guardian', pid: guardian.pid, armed: guardian.armed });
});
process.channel?.unref();
const results = new PipelineRunner({ handleProcessEvents }).run(task);
const keepAlive = setInterval(() => {}, 1_000);
await results;
if (!stays) clearInterval(keepAlive);
