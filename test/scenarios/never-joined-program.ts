/** The first program of a newcomer, whose server is in its environment; at its end it says what only it knows. */

import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import { guardian } from '../../src/rooms/guardian/guardian-client.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';

export interface NeverJoinedReport {
  readonly outcome: RoomDeletionOutcome | undefined;
  readonly durationMs: number | undefined;
  /** Its process id. */
  readonly guardian: number | undefined;
}

const transport = new LiveKitTransport({
  roomName: process.env.ROOM_NAME || undefined,
  params: { audioInEnabled: true, audioOutEnabled: true },
  deleteRoomOnEnd: { deadlineMs: Number(process.env.DEADLINE_MS) },
});
let outcome: RoomDeletionOutcome | undefined;
let guardianPid: number | undefined;
transport.outcome$.subscribe((told) => {
  outcome = told;
});
const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]));
const running = new PipelineRunner().run(task);
// started with the setup of the processors
setTimeout(() => {
  guardianPid = guardian.pid;
}, 1).unref();
const [result] = await running;
guardianPid ??= guardian.pid;
const report: NeverJoinedReport = { outcome, durationMs: result?.durationMs, guardian: guardianPid };
process.stdout.write(`\nreport ${JSON.stringify(report)}\n`);
