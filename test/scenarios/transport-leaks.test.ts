/**
 * Ways in which Pipecat's LiveKit transport leaves a room behind, or a run that never ends, by the letters of
 * their list. Here: `run()` settles, and the room is gone.
 *
 * Row A is in media-goodbye.test.ts; D, M, and E for an EndFrame are in ../transports/livekit.
 */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { loadRtcNode } from '../../src/transports/livekit/rtc-node.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { tokenFor } from '../support/tokens.ts';
import { call, newTransport, startBot, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const never = new Promise<void>(() => {});
const stoppedBotProgram = fileURLToPath(new URL('../support/stopped-bot-program.ts', import.meta.url));

class StuckOnText extends FrameProcessor {
  #stuck = () => {};
  readonly isStuck: Promise<void> = new Promise((resolve) => {
    this.#stuck = resolve;
  });

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (!(frame instanceof TextFrame)) return this.push(frame, direction);
    this.#stuck();
    return never;
  }
}

describe('a bot', () => {
  let server: LiveKitServer;
  let rooms = 0;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });
  afterEach(() => vi.restoreAllMocks());

  const newRoomName = (): string => `leaks-${process.pid}-${rooms++}`;

  /** A room that a forgotten caller would keep for ever. */
  async function existingRoom(): Promise<string> {
    const name = newRoomName();
    await roomService(server).createRoom({ name, emptyTimeout: 600 });
    return name;
  }

  async function gone(roomName: string): Promise<void> {
    expect(await roomExists(server, roomName)).toBe(false);
  }

  it('row E: that cannot leave, since disconnect() never returns, is cancelled all the same', async () => {
    const { Room } = await loadRtcNode();
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    const disconnect = vi.spyOn(Room.prototype, 'disconnect').mockReturnValue(never);
    bot.task.cancel();
    expect(await bot.result).toMatchObject({ reason: 'cancelled' });
    expect(disconnect).toHaveBeenCalled();
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await gone(transport.roomName);
  });

  it('row I: that cannot join has its room deleted', async () => {
    const roomName = await existingRoom();
    const stranger = { apiKey: server.apiKey, apiSecret: 'not-the-secret-of-this-server-000000' };
    const token = await tokenFor(stranger, 'bot', { roomJoin: true, room: roomName });
    const bot = startBot(server, { token });
    expect(await bot.result).toMatchObject({ reason: 'failed' });
    await gone(roomName);
  });

  it('row J: whose publishing fails once joins once, and is heard', async () => {
    const { LocalParticipant } = await loadRtcNode();
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const publish = vi
      .spyOn(LocalParticipant.prototype, 'publishTrack')
      .mockRejectedValueOnce(new Error('not this time'));
    const bot = startBot(server, { transport });
    await bot.started;
    expect(publish).toHaveBeenCalledTimes(2);
    bot.says(...tone(600), new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.events.filter((event) => event === 'connected')).toHaveLength(1);
    await ada.exited;
    expect((await ada.heard(transport.identity)).heardMs).toBeGreaterThan(promised(500, 200));
    await gone(transport.roomName);
  });

  it('row K: that is thrown out ends, and says why', async () => {
    const bot = startBot(server);
    const { roomName, identity } = bot.transport;
    await bot.started;
    const ada = await call(server, roomName);
    await roomService(server).removeParticipant(roomName, identity);
    expect(await bot.result).toMatchObject({
      reason: 'ended',
      frame: { reason: 'PARTICIPANT_REMOVED' },
      forced: false,
    });
    expect(bot.events).toContain('disconnected PARTICIPANT_REMOVED');
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await gone(roomName);
  });

  it('row K: whose server has crashed and is back ends instead of bringing the room back', async () => {
    const own = await startLiveKitServer({ config: {} });
    const bot = startBot(own, { deleteRoomOnEnd: { guardian: false } });
    await bot.started;
    await own.stop();
    const config = { port: Number(new URL(own.url).port), keys: { [own.apiKey]: own.apiSecret } };
    const again = await startLiveKitServer({ config });
    onTestFinished(() => again.stop());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.events).toEqual(['connected', 'disconnected ROOM_REPLACED', 'left']);
    expect(await roomExists(again, bot.transport.roomName)).toBe(false);
  });

  it('row L: that is left alone ends, where EndWhenAlone stands in its pipeline', async () => {
    const { bot, transport } = await runningBot(new EndWhenAlone({ graceMs: 500 }));
    const ada = await call(server, transport.roomName);
    await ada.playTone(440, 100);
    await ada.leave();
    expect(await bot).toMatchObject({ reason: 'ended', frame: { reason: 'alone in the room' } });
    await gone(transport.roomName);
  });

  it("row L: that is left alone is ended by the server's departure timeout, where nothing else is", async () => {
    const bot = startBot(server, { departureTimeoutMs: 1_000 });
    await bot.started;
    const ada = await call(server, bot.transport.roomName);
    await ada.leave();
    expect(await bot.result).toMatchObject({ reason: 'ended', frame: { reason: 'ROOM_CLOSED' } });
    await gone(bot.transport.roomName);
  });

  it.each([
    ['is asked to go', 'SIGTERM', 0],
    ['exits without a word', 'SIGUSR2', 7],
  ] as const)('row N: that has stopped has its room deleted when its process %s', async (_, signal, code) => {
    const child = spawnScript(stoppedBotProgram, [], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        LIVEKIT_URL: server.url,
        LIVEKIT_API_KEY: server.apiKey,
        LIVEKIT_API_SECRET: server.apiSecret,
      },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const roomName = await stoppedIn(child.stdout as NodeJS.ReadableStream);
    const ada = await call(server, roomName);
    child.kill(signal);
    expect(await exited).toEqual([code, null]);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await gone(roomName);
  });

  it('row V: that is cancelled while a processor is stuck is gone within a second', async () => {
    const stuck = new StuckOnText();
    const { bot, task, transport } = await runningBot(stuck);
    const ada = await call(server, transport.roomName);
    task.queueFrame(new TextFrame('work on this'));
    await stuck.isStuck;
    const at = performance.now();
    task.cancel();
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    expect(performance.now() - at).toBeLessThan(promised(1_000));
    expect(await bot).toMatchObject({ reason: 'cancelled' });
    await gone(transport.roomName);
  });

  /** What the program says; the SDK prints its own lines on the same stream. */
  async function stoppedIn(output: NodeJS.ReadableStream): Promise<string> {
    for await (const line of createInterface({ input: output })) {
      const [, roomName] = /^stopped in (.*)$/.exec(line) ?? [];
      if (roomName !== undefined) return roomName;
    }
    throw new Error('the bot has not stopped');
  }

  async function runningBot(...processors: FrameProcessor[]) {
    const transport = newTransport(server);
    const task = new PipelineTask(new Pipeline([transport.input(), ...processors, transport.output()]), {
      logger: silentLogger,
    });
    const started = new Promise<void>((resolve) => task.once('started', resolve));
    const bot = task.run();
    onTestFinished(async () => {
      task.cancel();
      await bot;
    });
    await started;
    return { bot, task, transport };
  }
});
