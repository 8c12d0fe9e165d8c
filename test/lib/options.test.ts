import { describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import * as check from '../../src/lib/options.ts';
import { TurnTrackingObserver } from '../../src/observers/turn-tracking-observer.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { DTMFAggregator } from '../../src/processors/dtmf-aggregator.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import { IdleFrameProcessor } from '../../src/processors/idle-frame-processor.ts';
import { closeOnProcessExit } from '../../src/rooms/close-on-process-exit.ts';
import { LeaseBeat } from '../../src/rooms/lease-beat.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { BullMqEngine } from '../../src/sweeper/engine/bullmq-engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { runTest } from '../../src/testing/run-test.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { createAgentToken, createParticipantToken } from '../../src/transports/livekit/tokens.ts';
import { VADProcessor } from '../../src/vad/vad-processor.ts';

const longestMs = 2_147_483_647;
const keys = { apiKey: 'k', apiSecret: 's' };
const rest = new LiveKitRESTHelper({ ...keys, apiUrl: 'http://127.0.0.1:9' });
const room = { roomName: 'room', rest };
const sweeper = { prefix: 'p', rest };
const transport = { ...keys, url: 'http://127.0.0.1:9' };
const token = { ...keys, roomName: 'r', identity: 'i' };
const task = () => new PipelineTask(new Pipeline([]));

/** Everything public that takes a time, as it is called with one. */
const takers: Record<string, (ms: number) => unknown> = {
  'IdleFrameProcessor timeoutMs': (ms) => new IdleFrameProcessor({ timeoutMs: ms, onIdle: () => {} }),
  'DTMFAggregator timeoutMs': (ms) => new DTMFAggregator({ timeoutMs: ms }),
  'EndWhenAlone graceMs': (ms) => new EndWhenAlone({ graceMs: ms }),
  'TurnTrackingObserver turnEndTimeoutMs': (ms) => new TurnTrackingObserver({ turnEndTimeoutMs: ms }),
  'VADProcessor audioIdleMs': (ms) => new VADProcessor({ audioIdleMs: ms }),
  'VADProcessor startMs': (ms) => new VADProcessor({ startMs: ms }),
  'VADProcessor stopMs': (ms) => new VADProcessor({ stopMs: ms }),
  'MemoryTransport endSilenceMs': (ms) => new MemoryTransport({ params: { endSilenceMs: ms } }),
  'MemoryTransport dtmfIntervalMs': (ms) => new MemoryTransport({ params: { dtmfIntervalMs: ms } }),
  'FrameProcessor pauseProcessingAllFramesUntil timeoutMs': (ms) =>
    new EndWhenAlone().pauseProcessingAllFramesUntil(Promise.resolve(), { timeoutMs: ms }),
  ...Object.fromEntries(
    (['setup', 'start', 'endStall', 'cancel', 'cleanup', 'idle'] as const).map((limit) => [
      `PipelineTask ${limit}TimeoutMs`,
      (ms: number) => new PipelineTask(new Pipeline([]), { [`${limit}TimeoutMs`]: ms }),
    ]),
  ),
  'PipelineTask heartbeats.periodMs': (ms) =>
    new PipelineTask(new Pipeline([]), { heartbeats: { periodMs: ms } }),
  'PipelineTask heartbeats.timeoutMs': (ms) =>
    new PipelineTask(new Pipeline([]), { heartbeats: { timeoutMs: ms } }),
  'PipelineTask flush timeoutMs': (ms) => task().flush({ timeoutMs: ms }),
  'PipelineRunner shutdownBudgetMs': (ms) => new PipelineRunner({ shutdownBudgetMs: ms }),
  'runTest timeoutMs': (ms) => runTest(new EndWhenAlone(), { framesToSend: [], timeoutMs: ms }),
  'LiveKitRESTHelper attemptTimeoutMs': (ms) =>
    new LiveKitRESTHelper({ ...keys, apiUrl: 'http://127.0.0.1:9', attemptTimeoutMs: ms }),
  'LiveKitRESTHelper listTimeoutMs': (ms) =>
    new LiveKitRESTHelper({ ...keys, apiUrl: 'http://127.0.0.1:9', listTimeoutMs: ms }),
  'RoomDeleter deadlineMs': (ms) => new RoomDeleter({ ...room, deadlineMs: ms }),
  'RoomDeleter guardianHeartbeatMs': (ms) => new RoomDeleter({ ...room, guardianHeartbeatMs: ms }),
  'closeOnProcessExit budgetMs': (ms) => closeOnProcessExit(new RoomDeleter(room), { budgetMs: ms })(),
  'LeaseBeat beatMs': (ms) => new LeaseBeat({ write: async () => {}, beatMs: ms }),
  'Sweeper pollMs': (ms) => new Sweeper({ ...sweeper, pollMs: ms, leaseTtlMs: ms }),
  'Sweeper leaseTtlMs': (ms) => new Sweeper({ ...sweeper, leaseTtlMs: ms, maxSessionMs: null }),
  'Sweeper graceMs': (ms) => new Sweeper({ ...sweeper, graceMs: ms }),
  'Sweeper deletionDeadlineMs': (ms) => new Sweeper({ ...sweeper, deletionDeadlineMs: ms }),
  'BullMqEngine lockMs': (ms) =>
    new BullMqEngine({ redisUrl: 'redis://127.0.0.1:1', queueName: 'q', lockMs: ms }),
  'LiveKitTransport emptyTimeoutMs': (ms) => new LiveKitTransport({ ...transport, emptyTimeoutMs: ms }),
  'LiveKitTransport departureTimeoutMs': (ms) =>
    new LiveKitTransport({ ...transport, departureTimeoutMs: ms }),
  'LiveKitTransport leaseBeatMs': (ms) => new LiveKitTransport({ ...transport, leaseBeatMs: ms }),
  'createParticipantToken ttlMs': (ms) => createParticipantToken({ ...token, ttlMs: ms }),
  'createAgentToken emptyTimeoutMs': (ms) => createAgentToken({ ...token, emptyTimeoutMs: ms }),
  'createAgentToken departureTimeoutMs': (ms) => createAgentToken({ ...token, departureTimeoutMs: ms }),
};

/** What came of it, also where it is told later. */
async function outcomeOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(Object.entries(takers))('%s', (name, take) => {
  const option = name.split(' ').at(-1);

  it.each([longestMs + 1, 3e9, Number.POSITIVE_INFINITY, Number.NaN, -1, '5' as unknown as number])(
    'is not %s',
    async (ms) => {
      const error = await outcomeOf(() => take(ms));
      expect(error).toBeInstanceOf(InvalidOptionError);
      expect(error).toMatchObject({ option, message: expect.stringContaining('milliseconds') });
    },
  );
});

describe('option checks', () => {
  it.each([
    ['a duration', () => check.checkDurationMs('o', longestMs), () => check.checkDurationMs('o', 0)],
    [
      'a duration, or none',
      () => check.checkDurationMs('o', 0, { zero: true }),
      () => check.checkDurationMs('o', -1, { zero: true }),
    ],
    ['a rate', () => check.checkRateHz('o', 22_050), () => check.checkRateHz('o', 999)],
    [
      'a rate of whole pieces',
      () => check.checkRateHz('o', 44_100, 100),
      () => check.checkRateHz('o', 22_050, 100),
    ],
    ['a count', () => check.checkCount('o', 1), () => check.checkCount('o', 0)],
    ['a count from 0', () => check.checkCount('o', 0, 0), () => check.checkCount('o', 0.5, 0)],
    ['a share', () => check.checkShare('o', 1), () => check.checkShare('o', 1.01)],
    ['a choice', () => check.checkOneOf('o', 'a', ['a', 'b']), () => check.checkOneOf('o', 'c', ['a', 'b'])],
    ['a logger', () => check.checkLogger('o', silentLogger), () => check.checkLogger('o', { warn: vi.fn() })],
  ])('tell %s from what is none', (_, right, wrong) => {
    expect(right).not.toThrow();
    expect(wrong).toThrow(/^Option "o" must be /);
  });

  it('names what else would have been right', () => {
    expect(() => check.checkDurationMs('o', '1', { zero: true, or: 'null' })).toThrow(
      `Option "o" must be a number of milliseconds from 0, at most ${longestMs}, or null, got '1'`,
    );
  });
});
