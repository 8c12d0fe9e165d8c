import {
  type BaseTransport,
  EndTaskFrame,
  EndWhenAlone,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  IdentityFilter,
  Pipeline,
  PipelineTask,
  TranscriptionFrame,
} from 'endframe';
import { LiveKitRESTHelper, RoomCleanupProcessor } from 'endframe/livekit';
import { FakeLiveKitServer, MemoryTransport } from 'endframe/testing';
import { expect, it, vi } from 'vitest';

class Assistant extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    const isBye = frame instanceof TranscriptionFrame && frame.text.includes('bye');
    this.push(isBye ? new EndTaskFrame('said goodbye') : frame, direction);
  }
}

function myBot(transport: BaseTransport, cleanup: FrameProcessor): PipelineTask {
  const own = [new EndWhenAlone({ graceMs: 20 }), new Assistant()];
  return new PipelineTask(new Pipeline([transport.input(), cleanup, ...own, transport.output()]));
}

it.each<[how: string, end: (task: PipelineTask, transport: MemoryTransport) => void]>([
  ['after a goodbye', (task) => task.queueFrame(new TranscriptionFrame('good bye', 'ada'))],
  ['when the caller has left', (_, transport) => transport.participantLeaves('ada')],
  ['when it is cancelled', (task) => task.cancel()],
])('my bot always hangs up %s', async (_, end) => {
  await using server = await FakeLiveKitServer.start();
  server.fail({ kind: 'status', status: 503 }, { times: 2, method: 'DeleteRoom' });
  const caller = server.join('call', 'ada');

  const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl });
  const transport = new MemoryTransport();
  const task = myBot(transport, new RoomCleanupProcessor({ roomName: 'call', rest, guardian: false }));
  task.once('started', () => {
    transport.participantJoins('ada');
    end(task, transport);
  });

  expect(await task.run()).toMatchObject({ forced: false });
  expect(await caller.disconnected).toBe('ROOM_DELETED');
});

it('my bot hangs up after five minutes without a word', async () => {
  vi.useFakeTimers().setTimerTickMode('nextTimerAsync'); // or vi.advanceTimersByTimeAsync() step by step
  const task = myBot(new MemoryTransport(), new IdentityFilter());
  expect(await task.run()).toMatchObject({ reason: 'cancelled', durationMs: 300_000 });
  vi.useRealTimers();
});
