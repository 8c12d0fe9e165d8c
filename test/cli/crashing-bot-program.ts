/** A bot that dies as soon as its guardian watches its room: `crashing-bot-program.ts API_URL ROOM abort|exit`. */

import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { guardian } from '../../src/rooms/guardian/guardian-client.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';

const [apiUrl = '', roomName = '', how] = process.argv.slice(2);
const { BOT_KEY: apiKey = '', BOT_SECRET: apiSecret = '' } = process.env;
const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
const task = new PipelineTask(new Pipeline([new RoomCleanupProcessor({ roomName, rest, verify: false })]));
task.on('started', () => {
  setInterval(() => {
    if (!guardian.armed) return;
    if (how === 'exit') process.exit(0);
    process.abort();
  }, 10);
});
await task.run();
