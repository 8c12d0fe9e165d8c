import { RoomCleanupProcessor } from '../cleanup/room-cleanup-processor.ts';
import { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import { TextFrame } from '../frames/text.ts';
import { silentLogger } from '../lib/logger.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { PipelineRunner } from '../pipeline/pipeline-runner.ts';
import { PipelineTask } from '../pipeline/pipeline-task.ts';
import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import { FakeLiveKitServer } from '../testing/fake-livekit-server.ts';
import { Timeline } from './timeline.ts';

/**
 * The demo where there is no LiveKit server or no media: the same cleanup, in a pipeline without sound, against
 * a simulated room service.
 *
 * @returns Whether each room was gone and each simulated participant saw why.
 */
export async function demoWithoutMedia(write: (text: string) => void): Promise<boolean> {
  await using server = await FakeLiveKitServer.start();
  const ended = await call(server, write, 'EndFrame');
  const cancelled = await call(server, write, 'CancelFrame');
  return ended && cancelled;
}

async function call(
  server: FakeLiveKitServer,
  write: (text: string) => void,
  how: 'EndFrame' | 'CancelFrame',
): Promise<boolean> {
  write(`\nA simulated call that ends with ${how}\n`);
  const timeline = new Timeline(write);
  const roomName = `endframe-demo-${how}`;
  const rest = new LiveKitRESTHelper({
    apiUrl: server.httpUrl,
    apiKey: server.apiKey,
    apiSecret: server.apiSecret,
  });
  const cleanup = new RoomCleanupProcessor({ roomName, rest, logger: silentLogger });
  const task = new PipelineTask(new Pipeline([cleanup]), { logger: silentLogger });
  const caller = server.join(roomName, 'caller');
  timeline.add('caller', `is in the room ${roomName} (simulated)`);
  caller.on('disconnected', (reason) => timeline.add('caller', `disconnected with ${reason}`));
  cleanup.on('roomDeleted', ({ status, elapsedMs }) => {
    timeline.add('livekit', `DeleteRoom: ${status}, after ${elapsedMs.toFixed(0)} ms`);
  });
  task.frames$.subscribe((frame) =>
    timeline.add('bot', `${frame.constructor.name} has come out of the pipeline`),
  );

  task.queueFrame(new TextFrame('Goodbye.'));
  task.queueFrame(
    how === 'EndFrame' ? new EndFrame('said goodbye') : new CancelFrame('in the middle of a sentence'),
  );
  const [result] = await new PipelineRunner().run(task);
  timeline.add('bot', `run() has settled: ${result?.reason}`);

  const isGone = server.room(roomName) === undefined;
  const toldWhy = (await caller.disconnected) === 'ROOM_DELETED';
  timeline.add(
    'check',
    isGone && toldWhy ? 'the room is gone, the caller knows why' : 'FAILED: the room is still there',
  );
  return isGone && toldWhy;
}
