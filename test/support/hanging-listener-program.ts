/**
 * A bot whose listener to `finished` never gets done, and says what happens.
 *
 * The first argument is its room; with `stays` it is never done with its conversation either, and its listener
 * keeps the process alive. Server and keys come from the environment.
 */

import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';

const [roomName = '', stays] = process.argv.slice(2);
const {
  LIVEKIT_URL: apiUrl = '',
  LIVEKIT_API_KEY: apiKey = '',
  LIVEKIT_API_SECRET: apiSecret = '',
} = process.env;
const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
const cleanup = new RoomCleanupProcessor({ roomName, rest, guardian: false, verify: false });
const task = new PipelineTask(cleanup, { idleTimeoutMs: null });
const tell = (line: string): boolean => process.stdout.write(`${line}\n`);
const timer = setInterval(() => {}, 1_000);

cleanup.outcome$.subscribe(({ status }) => tell(status));
task.on('started', () => {
  tell('started');
  if (stays === undefined) task.stopWhenDone();
});
task.on('finished', async () => {
  tell('finished');
  if (stays === undefined) clearInterval(timer);
  await new Promise(() => {});
});
await new PipelineRunner().run(task);
