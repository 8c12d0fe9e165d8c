/** A program whose room may remain, for the tests of its exit code: its one argument is JSON. */

import { EMPTY } from 'rxjs';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { deleteRoomOnEnd, LiveKitRESTError, RoomDeleter, silentLogger } from '../../src/livekit.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';

export interface ExitCodeProgram {
  readonly deletion: 'works' | 'is refused';
  readonly by: 'RoomDeleter' | 'deleteRoomOnEnd' | 'deleteRoomOnEnd, of another make' | 'a rejection';
  /** What else happens. */
  readonly beside?: 'exitCode 1' | 'exitCode 0' | 'a failed run' | 'process.exit()';
}

const { deletion, by, beside } = JSON.parse(process.argv[2] ?? '') as ExitCodeProgram;
const refused = new LiveKitRESTError('r', { kind: 'auth', status: 401, retryable: false });
const deleteRoomByName = async (): Promise<true> => {
  if (deletion === 'works') return true;
  throw refused;
};
const deleter = new RoomDeleter({ roomName: 'r', rest: { deleteRoomByName }, logger: silentLogger });

if (beside === 'exitCode 1') process.exitCode = 1;
if (beside === 'exitCode 0') process.exitCode = 0;
if (beside === 'process.exit()') deleter.on('roomDeleteFailed', () => process.exit());

if (by === 'RoomDeleter') await deleter.deleteRoom('end');
if (by === 'deleteRoomOnEnd') deleteRoomOnEnd(EMPTY, (trigger) => deleter.deleteRoom(trigger)).subscribe();
if (by === 'deleteRoomOnEnd, of another make') {
  const status = deletion === 'works' ? 'deleted' : 'handed-over';
  const outcome = { status, roomName: 'r', trigger: 'end', attempts: 1, elapsedMs: 0 } as const;
  deleteRoomOnEnd(EMPTY, async () => outcome).subscribe();
}
if (by === 'a rejection') {
  deleteRoomOnEnd(EMPTY, async () => Promise.reject(new Error('no'))).subscribe({ error: () => {} });
}

if (beside === 'a failed run') {
  class NeverReady extends FrameProcessor {
    override setup(): Promise<void> {
      return new Promise(() => {});
    }

    protected override process(frame: Frame, direction: FrameDirection): void {
      this.push(frame, direction);
    }
  }
  const task = new PipelineTask(new Pipeline([new NeverReady()]), {
    logger: silentLogger,
    setupTimeoutMs: 20,
  });
  await new PipelineRunner({ logger: silentLogger }).run(task);
}
