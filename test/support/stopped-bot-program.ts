/**
 * A bot whose last frame is a StopFrame: it stays in the room, and nobody runs its transport again.
 *
 * Server and keys come from the environment. Says in which room it has stopped; at SIGUSR2 it calls
 * `process.exit()`.
 */

import { StopFrame } from '../../src/frames/lifecycle.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';

process.on('SIGUSR2', () => process.exit(7));

const transport = new LiveKitTransport({ params: { audioInEnabled: true, audioOutEnabled: true } });
const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]));
task.queueFrame(new StopFrame());
await new PipelineRunner().run(task);
process.stdout.write(`stopped in ${transport.roomName}\n`);
