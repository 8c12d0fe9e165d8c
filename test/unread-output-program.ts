/** A bot in which something is uncaught while nobody reads its output; for unread-output.test.ts. */

import { RoomCleanupProcessor } from '../src/cleanup/room-cleanup-processor.ts';
import { Pipeline } from '../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../src/pipeline/pipeline-task.ts';
import { closeOnProcessExit } from '../src/rooms/close-on-process-exit.ts';
import { LiveKitRESTHelper, type LiveKitRESTHelperOptions } from '../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../src/rooms/room-deleter.ts';

const { BOT_REST = '', BOT_LOGGER, BOT_RUNS_BY } = process.env;
const room = {
  roomName: 'my-room',
  rest: new LiveKitRESTHelper(JSON.parse(BOT_REST) as LiveKitRESTHelperOptions),
  guardian: false,
  ...(BOT_LOGGER === 'to stdout' && { logger: toStdout() }),
};
const { logger } = room;

/** As some loggers do it: a stream, and nobody who listens to its errors. */
function toStdout() {
  const line = (_fields: object, message: string): void => void process.stdout.write(`${message}\n`);
  return { debug: line, info: line, warn: line, error: line };
}

if (BOT_RUNS_BY === 'PipelineRunner') {
  const task = new PipelineTask(new Pipeline([new RoomCleanupProcessor(room)]));
  const started = new Promise<void>((resolve) => void task.once('started', resolve));
  void new PipelineRunner({ ...(logger && { logger }) }).run(task);
  await started;
} else {
  closeOnProcessExit(new RoomDeleter(room), { logger });
}
setInterval(() => {}, 1_000);
process.once('message', () => {
  throw new Error('a bug in user code');
});
process.send?.('ready');
