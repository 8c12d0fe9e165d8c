/** The program of a bot that reads aloud to its room: `reading-bot.ts ROOM`. */

import process from 'node:process';
import { Pipeline, PipelineRunner, PipelineTask } from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { speech } from './speech.ts';

const [, , roomName = ''] = process.argv;
const story = await speech('Once upon a time there was a bot that nobody could stop. '.repeat(8));
const transport = new LiveKitTransport({ roomName, leaseBeatMs: 1_000, params: { audioOutEnabled: true } });
const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]));
task.on('started', () => {
  task.queueFrame(story);
  process.send?.('started');
});
await new PipelineRunner().run(task);
