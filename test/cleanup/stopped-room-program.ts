/**
 * A process with two rooms: the task of one has stopped, that of the other still has a goodbye to play when the
 * signal comes. Arguments: the server's URL, and when the first one stops: `before` or `after` the signal.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger as logger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';

const [apiUrl = '', stops = 'before'] = process.argv.slice(2);
const tell = (what: string): void => void process.stdout.write(`${what}\n`);

class Speaker extends FrameProcessor {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof TextFrame) {
      await sleep(500);
      tell(`played ${frame.text}`);
    }
    this.push(frame, direction);
  }
}

function taskFor(roomName: string): PipelineTask {
  const rest = new LiveKitRESTHelper({ apiKey: 'key', apiSecret: 'secret-of-the-program', apiUrl });
  const room = { owned: true };
  const cleanup = new RoomCleanupProcessor({ roomName, rest, room, guardian: false, verify: false, logger });
  return new PipelineTask(new Pipeline([cleanup, new Speaker()]), { logger });
}

const stopping = taskFor('stopped-room');
const living = taskFor('living-room');
const runner = (): PipelineRunner => new PipelineRunner({ onSignal: 'end', logger });
const livingRun = runner().run(living);
const stoppingRun = runner().run(stopping);
if (stops === 'before') {
  stopping.queueFrame(new StopFrame());
  await stoppingRun;
} else {
  // what is queued first counts: the end that the signal asks for comes behind it
  stopping.queueFrames([new TextFrame('pause'), new StopFrame()]);
}
living.queueFrame(new TextFrame('goodbye'));
tell('ready');
await livingRun;
tell('living ended');
