/** A bot with a token that somebody else has made: it says "started", and stays until its room is gone. */

import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';

const transport = new LiveKitTransport({ token: process.env.TOKEN, deleteRoomOnEnd: false });
const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), { idleTimeoutMs: null });
task.on('started', () => process.stdout.write('started\n'));
transport.on('disconnected', ({ reason }) => process.stdout.write(`disconnected: ${reason}\n`));
await new PipelineRunner().run(task);
