/** The promise, with everybody it concerns: a bot, two callers and a second bot, each in a process of its own. */

import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { promised } from '../support/promised.ts';
import { roomExists, roomService } from '../support/room-service.ts';
import { describeEachServer } from '../support/server-versions.ts';
import { Bot, now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import { tone } from '../support/tone.ts';

const describe = await describeEachServer('@livekit/rtc-node');

/** A goodbye whose last word can be told from the rest. */
const sentence = { hertz: 440, ms: 1_200 };
const pauseMs = 200;
const bye = { hertz: 880, ms: 400 };

describe('a room with a bot, two callers and a second bot', ({ start }) => {
  let server: LiveKitServer;
  let rooms = 0;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  /** The room with everybody in it, all callers listening to the bot; next to it one with a similar name. */
  async function setup() {
    const { url, apiKey, apiSecret } = server;
    const roomName = `everybody-${process.pid}-${rooms++}`;
    const neighbour = `${roomName}-2`;
    await roomService(server).createRoom({ name: neighbour, emptyTimeout: 300 });
    const params = { audioInEnabled: true, audioOutEnabled: true };
    const transport = new LiveKitTransport({
      url,
      apiKey,
      apiSecret,
      roomName,
      params,
      logger: silentLogger,
    });
    const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), {
      logger: silentLogger,
    });
    const run = task.run();
    const second = new Bot(server, { roomName, identity: 'second-bot' });
    const callers = await Promise.all(
      ['ada', 'bob'].map(async (identity) =>
        spawnCaller({ url, token: await joinToken(server, roomName, identity) }),
      ),
    );
    const hangUp = async (): Promise<void> => {
      task.cancel();
      await Promise.all([run, second[Symbol.asyncDispose](), ...callers.map((caller) => caller.stop())]);
    };
    const isBot = ({ identity }: { identity: string }): boolean => identity === transport.identity;
    await Promise.all([
      second.has('started'),
      ...callers.map((caller) => caller.waitFor('trackSubscribed', { where: isBot, timeoutMs: 90_000 })),
    ]).catch(async (error: unknown) => {
      await hangUp();
      throw error;
    });
    return { roomName, neighbour, transport, task, run, second, callers, [Symbol.asyncDispose]: hangUp };
  }
  type Room = Awaited<ReturnType<typeof setup>>;

  /** When the last of the others was told that the room is deleted. */
  async function allDisconnected({ callers, second }: Room): Promise<number> {
    const told = await Promise.all([
      second.has('disconnected'),
      ...callers.map((caller) => caller.waitFor('disconnected', { timeoutMs: 90_000 })),
    ]);
    for (const { reason } of told) expect(reason).toBe('ROOM_DELETED');
    return Math.max(...told.map(({ at }) => at));
  }

  /** What holds afterwards, whatever the end. */
  async function expectCleanEnd(room: Room, result: PipelineResult, trigger: string): Promise<void> {
    const { roomName, neighbour, transport, second } = room;
    expect(result.forced).toBe(false);
    expect(await roomExists(server, roomName)).toBe(false);
    expect(await roomExists(server, neighbour)).toBe(true);
    const outcome = await firstValueFrom(transport.outcome$);
    expect(outcome).toMatchObject({ status: 'deleted', attempts: 1, trigger });
    // the second bot had nothing left to delete, and says so
    expect(await second.exited).toMatchObject({ code: 0 });
    expect(await second.has('outcome')).toMatchObject({ status: 'already-gone', attempts: 0 });
  }

  async function report(since: string, { transport }: Room, lastMs: number): Promise<void> {
    const { elapsedMs } = await firstValueFrom(transport.outcome$);
    const told = `the last ROOM_DELETED of three ${lastMs.toFixed(0)} ms after ${since}`;
    console.info(`${told}; DeleteRoom was answered in ${elapsedMs.toFixed(0)} ms`);
  }

  async function heardBy(caller: Caller, { identity }: LiveKitTransport) {
    await caller.exited; // what it has heard is its last word
    return caller.heard(identity);
  }

  /** Milliseconds of sound around a frequency. */
  function heardAt(hertz: number, { spans }: Awaited<ReturnType<typeof heardBy>>): number {
    return spans
      .filter(({ frequencyHz }) => Math.abs(frequencyHz - hertz) < hertz / 8)
      .reduce((sum, { durationMs }) => sum + durationMs, 0);
  }

  it('is gone after an EndFrame, when the goodbye has been heard whole', async () => {
    await using room = await setup();
    const { task, run, transport, callers } = room;
    let leftAt = Number.NaN;
    task.frames$.subscribe((frame) => {
      if (frame instanceof EndFrame) leftAt = now();
    });
    task.queueFrames([
      tone(sentence.hertz, sentence.ms),
      tone(0, pauseMs),
      tone(bye.hertz, bye.ms),
      new EndFrame('said goodbye'),
    ]);
    const result = await run;
    const toldAt = await allDisconnected(room);
    expect(result.reason).toBe('ended');
    await expectCleanEnd(room, result, 'end');
    const said = sentence.ms + bye.ms;
    for (const caller of callers) {
      const heard = await heardBy(caller, transport);
      expect(heardAt(bye.hertz, heard)).toBeGreaterThan(promised(bye.ms - 20, 0));
      expect(heard.heardMs).toBeGreaterThan(promised(said - 40, said * 0.4));
      // a busy machine makes the jitter buffer stretch it
      expect(heard.heardMs).toBeLessThan(said * promised(2, 4));
    }
    await report('the EndFrame came out', room, toldAt - leftAt);
    expect(toldAt - leftAt).toBeLessThan(promised(1_000));
  });

  it('is gone after a CancelFrame, which cuts the sentence', async () => {
    await using room = await setup();
    const { task, run, transport, callers } = room;
    task.queueFrame(tone(440, 15_000));
    await Promise.all(callers.map((caller) => caller.waitFor('audioStarted')));
    const cancelledAt = now();
    task.cancel('enough');
    const result = await run;
    const toldAt = await allDisconnected(room);
    expect(result.reason).toBe('cancelled');
    await expectCleanEnd(room, result, 'cancel');
    for (const caller of callers) {
      const heard = await heardBy(caller, transport);
      expect(heard.heardMs).toBeGreaterThan(0);
      expect(heard.heardMs).toBeLessThan(promised(5_000, 12_000));
    }
    await report('cancel()', room, toldAt - cancelledAt);
    expect(toldAt - cancelledAt).toBeLessThan(promised(1_000));
  });

  it('is gone when somebody else deletes it, and the bot has nothing left to do', async () => {
    await using room = await setup();
    const { roomName, run, task, transport } = room;
    const told = new Promise<string>((resolve) => {
      transport.once('disconnected', ({ reason }) => resolve(reason));
    });
    await roomService(server).deleteRoom(roomName);
    await allDisconnected(room);
    expect(await told).toBe('ROOM_DELETED');
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(task.exitCode).toBe(0);
    expect(await firstValueFrom(transport.outcome$)).toMatchObject({ status: 'already-gone', attempts: 0 });
    expect(await roomExists(server, roomName)).toBe(false);
  });
});
