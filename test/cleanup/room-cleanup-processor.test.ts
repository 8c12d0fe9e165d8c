import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError, LiveKitRESTError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { RoomRest } from '../../src/rooms/rest/room-rest.ts';

class Misbehaving extends FrameProcessor {
  readonly #on: (frame: Frame) => void | Promise<void> | 'pass';

  constructor(on: (frame: Frame) => void | Promise<void> | 'pass') {
    super();
    this.#on = on;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    const result = this.#on(frame);
    if (result === 'pass') this.push(frame, direction);
    else return result;
  }
}

class SlowText extends FrameProcessor {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof TextFrame) await new Promise((resolve) => setTimeout(resolve, 40));
    this.push(frame, direction);
  }
}

function setup(
  processors: FrameProcessor[] = [],
  options: PipelineTaskOptions = {},
  deletion?: () => Promise<true>,
) {
  const log: string[] = [];
  const rest: RoomRest = {
    deleteRoomByName: async (name) => {
      log.push(`delete ${name}`);
      return (await deletion?.()) ?? true;
    },
    warmUp: async () => void log.push('warm up'),
  };
  const cleanup = new RoomCleanupProcessor({ roomName: 'room', rest, logger: silentLogger });
  const task = new PipelineTask(new Pipeline([cleanup, ...processors]), { logger: silentLogger, ...options });
  task.frames$.subscribe((frame) => log.push(frame.constructor.name));
  return { cleanup, task, log, rest };
}

afterEach(() => void vi.useRealTimers());

describe('RoomCleanupProcessor', () => {
  it('deletes the room after the EndFrame has come out, behind everything before it', async () => {
    const { task, log, cleanup } = setup([new SlowText()]);
    task.queueFrame(new TextFrame('goodbye'));
    task.queueFrame(new EndFrame('done'));
    const result = await task.run();
    expect(result.reason).toBe('ended');
    expect(log).toEqual(['warm up', 'StartFrame', 'TextFrame', 'EndFrame', 'delete room']);
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({
      status: 'deleted',
      trigger: 'end',
      roomName: 'room',
    });
  });

  it('deletes the room as soon as a cancel is sent', async () => {
    const hangs = new Misbehaving((frame) => (frame instanceof CancelFrame ? undefined : 'pass'));
    const { task, log, cleanup } = setup([hangs], { cancelTimeoutMs: 60 });
    const run = task.run();
    task.on('started', () => task.cancel('enough'));
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({ status: 'deleted', trigger: 'cancel' });
    expect(log).toEqual(['warm up', 'StartFrame', 'delete room']);
    expect((await run).reason).toBe('cancelled');
  });

  it('deletes the room when a task is cancelled before it runs', async () => {
    const { task, cleanup, log } = setup();
    task.cancel();
    expect((await task.run()).reason).toBe('cancelled');
    expect(log).toEqual(['delete room']);
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({ trigger: 'cancel' });
  });

  it.each<[string, (frame: Frame) => void | Promise<void> | 'pass']>([
    [
      'throws on',
      (frame) => {
        if (frame instanceof EndFrame) throw new Error('broken');
        return 'pass';
      },
    ],
    ['swallows', (frame) => (frame instanceof EndFrame ? undefined : 'pass')],
    ['hangs on', (frame) => (frame instanceof EndFrame ? new Promise<void>(() => {}) : 'pass')],
  ])('deletes the room when a processor %s the EndFrame', async (_how, on) => {
    const { task, cleanup } = setup([new Misbehaving(on)], { endStallTimeoutMs: 50 });
    task.stopWhenDone();
    expect(await task.run()).toMatchObject({ reason: 'ended', forced: true });
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({ status: 'deleted', trigger: 'end' });
  });

  it('deletes the room when the run fails', async () => {
    class NeverReady extends SlowText {
      override setup(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const { task, cleanup } = setup([new NeverReady()], { setupTimeoutMs: 20 });
    expect((await task.run()).reason).toBe('failed');
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({ status: 'deleted', trigger: 'exit' });
  });

  it('keeps the room after a StopFrame, for the next run to delete', async () => {
    const { task, log, cleanup } = setup();
    const watchers = process.listenerCount('SIGTERM');
    task.queueFrame(new StopFrame());
    expect((await task.run()).reason).toBe('stopped');
    expect(log).not.toContain('delete room');
    expect(process.listenerCount('SIGTERM')).toBe(watchers + 1);

    const next = new PipelineTask(cleanup, { logger: silentLogger });
    next.stopWhenDone();
    expect((await next.run()).reason).toBe('ended');
    expect(log.filter((line) => line === 'delete room')).toHaveLength(1);
    expect(process.listenerCount('SIGTERM')).toBe(watchers);
  });

  it.each<[when: string, stopsFirst: boolean]>([
    ['after the StopFrame', true],
    ['before it', false],
  ])('leaves no handlers behind, call after call, when the room is deleted %s', async (_when, stopsFirst) => {
    const watched = ['SIGTERM', 'beforeExit', 'uncaughtException'];
    const counts = () => watched.map((event) => process.listenerCount(event));
    const before = counts();
    for (let call = 0; call < 20; call += 1) {
      const { task, cleanup } = setup();
      if (!stopsFirst) await cleanup.deleteRoom();
      task.queueFrame(new StopFrame());
      expect((await task.run()).reason).toBe('stopped');
      if (stopsFirst) await cleanup.deleteRoom();
    }
    expect(counts()).toEqual(before);
  });

  it('lets go of a stopped room with its deletion, and not of another one', async () => {
    const watchers = process.listenerCount('SIGTERM');
    const [deleted, other] = [setup(), setup()];
    for (const { task } of [deleted, other]) {
      task.queueFrame(new StopFrame());
      await task.run();
    }
    await deleted.cleanup.deleteRoom();
    expect(process.listenerCount('SIGTERM')).toBe(watchers + 1);
    await other.cleanup.deleteRoom();
    expect(process.listenerCount('SIGTERM')).toBe(watchers);
  });

  it('has the run report exit code 3 when the room may remain', async () => {
    const refused = new LiveKitRESTError('room', { kind: 'auth', status: 401, retryable: false });
    const { task, cleanup } = setup([], {}, () => Promise.reject(refused));
    const failed = vi.fn();
    cleanup.on('roomDeleteFailed', failed);
    task.stopWhenDone();
    expect((await task.run()).reason).toBe('ended');
    expect(task.exitCode).toBe(3);
    expect(failed).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ status: 'failed', error: refused }),
    );
  });

  it('deletes once, however many ask', async () => {
    const { task, cleanup, log } = setup();
    const asked = cleanup.deleteRoom();
    task.stopWhenDone();
    await task.run();
    expect(await asked).toBe(await cleanup.deleteRoom('exit'));
    expect(log.filter((line) => line === 'delete room')).toHaveLength(1);
  });

  it('refuses options that can never work', () => {
    expect(() => new RoomCleanupProcessor({ roomName: '', rest: setup().rest })).toThrow(InvalidOptionError);
  });
});
