/** A processor of the user's does something wrong with the EndFrame: the room is deleted all the same. */

import { firstValueFrom } from 'rxjs';
import { beforeAll, expect, it } from 'vitest';
import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { FaultyProcessor, faults } from '../pipeline/faults.ts';
import { spawnCaller } from '../support/caller.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { joinToken } from '../support/tokens.ts';
import { tone } from '../support/tone.ts';

const describeWithServer = await describeWith('livekit-server');
const describeWithMedia = await describeWith('livekit-server', '@livekit/rtc-node');

const stallMs = 600;
/** What is promised: the stall limit and a second. */
const boundMs = stallMs + 1_000;

/** Started by the first block that runs. */
let server: LiveKitServer;
let rooms = 0;

/** A name of a room, beside which there is one with a name alike. */
async function newRoomName(): Promise<string> {
  const roomName = `stuck-${process.pid}-${rooms++}`;
  await roomService(server).createRoom({ name: `${roomName}-2`, emptyTimeout: 600 });
  return roomName;
}

async function expectGone(roomName: string): Promise<void> {
  const left = await listRooms(server, roomName, `${roomName}-2`);
  expect(left.map(({ name }) => name)).toEqual([`${roomName}-2`]);
}

function newTask(...processors: FrameProcessor[]) {
  const task = new PipelineTask(new Pipeline(processors), {
    endStallTimeoutMs: stallMs,
    logger: silentLogger,
  });
  const blamed: (string | undefined)[] = [];
  let finished = 0;
  task.on('error', (error) => {
    if (error instanceof ErrorFrame) blamed.push(error.processor?.name);
  });
  task.on('finished', () => {
    finished += 1;
  });
  return { task, blamed, timesFinished: () => finished };
}

const places: readonly (readonly [string, (faulty: FrameProcessor) => FrameProcessor])[] = [
  ['', (faulty) => faulty],
  [' in a parallel branch', (faulty) => new ParallelPipeline([new IdentityFilter()], [faulty])],
];
const cases = faults.flatMap((fault) => places.map(([where, place]) => [fault, where, place] as const));

async function startServer(): Promise<void> {
  server ??= await sharedLiveKit();
}

describeWithServer('a room whose bot has a processor that', () => {
  beforeAll(startServer);

  it.each(cases)('%s on the EndFrame%s is deleted', async (fault, _where, place) => {
    const { httpUrl: apiUrl, apiKey, apiSecret } = server;
    const roomName = await newRoomName();
    await roomService(server).createRoom({ name: roomName, emptyTimeout: 300 });
    const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
    const cleanup = new RoomCleanupProcessor({ roomName, rest, guardian: false, logger: silentLogger });
    const faulty = new FaultyProcessor(fault, 'end');
    const { task, blamed, timesFinished } = newTask(cleanup, place(faulty), new IdentityFilter());
    const started = new Promise<void>((resolve) => task.once('started', resolve));
    const run = task.run();
    await started;
    const endedAt = performance.now();
    task.queueFrame(new EndFrame());
    const result = await run;
    expect(performance.now() - endedAt).toBeLessThan(promised(boundMs));
    expect(result).toMatchObject({ reason: 'ended', forced: true });
    expect(timesFinished()).toBe(1);
    expect(blamed).toContain(faulty.name);
    expect(await firstValueFrom(cleanup.outcome$)).toMatchObject({ status: 'deleted', trigger: 'end' });
    await expectGone(roomName);
  });
});

describeWithMedia('a call whose bot has a processor that hangs on the EndFrame', () => {
  beforeAll(startServer);

  it.each(['in front of', 'behind'] as const)('%s the output is over', async (place) => {
    const { url, apiKey, apiSecret } = server;
    const roomName = await newRoomName();
    const transport = new LiveKitTransport({
      url,
      apiKey,
      apiSecret,
      roomName,
      params: { audioOutEnabled: true },
      logger: silentLogger,
    });
    const hangs = new FaultyProcessor('hangs', 'end');
    const { task, blamed } = newTask(
      transport.input(),
      ...(place === 'behind' ? [transport.output(), hangs] : [hangs, transport.output()]),
    );
    const run = task.run();
    await using caller = spawnCaller({ url, token: await joinToken(server, roomName, 'ada') });
    await caller.waitFor('trackSubscribed', { timeoutMs: 90_000 });
    // longer than the stall limit: what is being said is no standstill
    const goodbyeMs = 3 * stallMs;
    task.queueFrames([tone(440, goodbyeMs), new EndFrame()]);
    expect(await run).toMatchObject({ reason: 'ended', forced: true });
    expect(blamed).toContain(hangs.name);
    const { reason, at } = await caller.waitFor('disconnected');
    expect(reason).toBe('ROOM_DELETED');
    await caller.exited;
    const { heardMs, lastAt = Number.NaN } = await caller.heard();
    // a lost packet or two, not a cut sentence
    expect(heardMs).toBeGreaterThan(promised(goodbyeMs - 100, goodbyeMs * 0.7));
    expect(at - lastAt).toBeLessThan(promised(boundMs));
    await expectGone(roomName);
  });
});
