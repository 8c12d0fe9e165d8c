/** faults.md 1.2: whatever meets the end of a call, its room is deleted once, and no other; on the real server. */

import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import type { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { DeleteWhen } from '../../src/rooms/delete-when.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { DoomedBot, killBots } from '../support/doomed-bot.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomExists, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { tokenFor } from '../support/tokens.ts';
import { type Bot, call, newTransport, sleep, startBot, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('a call', () => {
  let server: LiveKitServer;
  let rooms = 0;
  const bystanders: string[] = [];

  beforeAll(async () => {
    server = await sharedLiveKit();
  });
  afterEach(async () => {
    await killBots();
    const left = (await listRooms(server, ...bystanders)).map(({ name }) => name);
    expect(left.sort()).toEqual([...bystanders].sort());
  });

  /** A name of a room, beside which there is one with a name alike. */
  async function newRoomName(): Promise<string> {
    const roomName = `endings-${process.pid}-${rooms++}`;
    bystanders.push(`${roomName}-2`);
    await roomService(server).createRoom({ name: `${roomName}-2`, emptyTimeout: 600 });
    return roomName;
  }

  /** A bot in its room, whose requests for a deletion are counted. */
  async function newBot(roomName: string, deleteWhen: DeleteWhen = 'always') {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const deletions: string[] = [];
    const fetch: typeof globalThis.fetch = (url, init) => {
      if (String(url).endsWith('/DeleteRoom')) deletions.push(String(url));
      return globalThis.fetch(url, init);
    };
    const rest = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl, fetch });
    const deleteRoomOnEnd = { rest, guardian: false, verify: false, deleteWhen };
    const bot = startBot(server, { transport: newTransport(server, { roomName, deleteRoomOnEnd }) });
    await bot.started;
    return { ...bot, deletions };
  }

  async function setup() {
    const roomName = await newRoomName();
    const ada = await call(server, roomName);
    return { roomName, ada, bot: await newBot(roomName) };
  }

  async function expectGone(roomName: string, caller: Caller): Promise<number> {
    const { reason, at } = await caller.waitFor('disconnected');
    expect(reason).toBe('ROOM_DELETED');
    expect(await roomExists(server, roomName)).toBe(false);
    return at;
  }

  /** Resolves when the end has begun, and waits for what is still to be said. */
  async function saysGoodbye({ task, says }: Bot, ada: Caller, ms: number): Promise<void> {
    const ending = firstValueFrom(task.lifecycle$.pipe(filter(({ frame }) => frame instanceof EndFrame)));
    says(...tone(ms), new EndFrame());
    await Promise.all([ending, ada.waitFor('audioStarted')]);
  }

  it('row 26: is over within a second when it is cancelled in its goodbye', async () => {
    const { roomName, ada, bot } = await setup();
    await saysGoodbye(bot, ada, 10_000);
    const cancelledAt = now();
    bot.task.cancel();
    expect(await bot.result).toMatchObject({ reason: 'cancelled', forced: false });
    expect((await expectGone(roomName, ada)) - cancelledAt).toBeLessThan(promised(1_000));
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'cancel', attempts: 1 }]);
    expect(bot.task.exitCode).toBe(0);
  });

  it.each<[string, (task: PipelineTask, result: Promise<unknown>) => unknown, string]>([
    [
      'by two ends',
      (task) => {
        task.queueFrames([new EndFrame(), new EndFrame()]);
        task.stopWhenDone();
      },
      'end',
    ],
    [
      'by an end and a cancel at once',
      (task) => {
        task.stopWhenDone();
        task.cancel();
      },
      'cancel',
    ],
    [
      'by a cancel and an end at once',
      (task) => {
        task.cancel();
        task.stopWhenDone();
      },
      'cancel',
    ],
    [
      'by an end, and a cancel when all is over',
      async (task, result) => {
        task.stopWhenDone();
        await result;
        task.cancel();
        await sleep(300);
      },
      'end',
    ],
  ])('row 27: is deleted once %s', async (_, ends, trigger) => {
    const { roomName, ada, bot } = await setup();
    let timesFinished = 0;
    bot.task.on('finished', () => {
      timesFinished += 1;
    });
    await ends(bot.task, bot.result);
    await bot.result;
    await expectGone(roomName, ada);
    expect(bot.deletions).toHaveLength(1);
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger, attempts: 1 }]);
    expect(timesFinished).toBe(1);
  });

  it('row 28: ends, and its goodbye is heard whole, although somebody interrupts it', async () => {
    const { roomName, ada, bot } = await setup();
    await saysGoodbye(bot, ada, 1_000);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    await expectGone(roomName, ada);
    await ada.exited;
    expect((await ada.heard()).heardMs).toBeGreaterThan(promised(920, 0));
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'end' }]);
  });

  it('row 31: ends in order when a processor in the middle says so', async () => {
    const { roomName, ada, bot } = await setup();
    for (const frame of [...tone(800), new EndFrame('by a processor')]) bot.inside.push(frame);
    expect(await bot.result).toMatchObject({
      reason: 'ended',
      forced: false,
      frame: { reason: 'by a processor' },
    });
    await expectGone(roomName, ada);
    await ada.exited;
    expect((await ada.heard()).heardMs).toBeGreaterThan(promised(720, 550));
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'end', attempts: 1 }]);
    expect(bot.deletions).toHaveLength(1);
  });

  it('row 32: is deleted when no media can reach its bot', async () => {
    const rtc = {
      node_ip: '192.0.2.1',
      enable_loopback_candidate: false,
      interfaces: { includes: ['none'] },
      ips: { includes: ['192.0.2.0/24'] },
      tcp_port: 0,
    };
    await using deaf = await startLiveKitServer({ config: { rtc } });
    const [roomName, bystander] = ['deaf', 'deaf-2'];
    for (const name of [roomName, bystander]) await roomService(deaf).createRoom({ name, emptyTimeout: 600 });
    const transport = newTransport(deaf, { roomName, deleteRoomOnEnd: { guardian: false, verify: false } });
    const { result, outcomes } = startBot(deaf, { transport, taskOptions: { setupTimeoutMs: 2_000 } });
    expect(await result).toMatchObject({ reason: 'failed' });
    expect(outcomes).toMatchObject([{ status: 'deleted', trigger: 'exit' }]);
    expect((await listRooms(deaf)).map(({ name }) => name)).toEqual([bystander]);
  });

  it('row 32: is deleted when its bot cannot join, whose process exits with 1', async () => {
    const roomName = await newRoomName();
    await roomService(server).createRoom({ name: roomName, emptyTimeout: 600 });
    const bot = new DoomedBot({ server, url: 'ws://127.0.0.1:9', roomName, guardian: false });
    expect(await bot.exited).toEqual({ code: 1, signal: null });
    const { outcome } = await bot.waitFor('outcome');
    expect(outcome).toMatchObject({ status: 'deleted', trigger: 'exit' });
    expect(bot.output).toContain('could not be joined');
    expect(await roomExists(server, roomName)).toBe(false);
  });

  it.each([
    ['is deleted', 'always', 'a human'],
    ['is kept', 'never', 'a human'],
    ['is kept', 'no-humans-left', 'a human'],
    ['is deleted', 'no-humans-left', 'an agent'],
    ['is deleted', 'no-agents-left', 'a human'],
    ['is kept', 'no-agents-left', 'an agent'],
  ] as const)("row 39: %s with '%s' and %s inside", async (what, deleteWhen, who) => {
    const roomName = await newRoomName();
    const grant = { roomJoin: true, room: roomName, agent: who === 'an agent' };
    await using other = spawnCaller({ url: server.url, token: await tokenFor(server, 'other', grant) });
    await other.waitFor('joined');
    const bot = await newBot(roomName, deleteWhen);
    bot.task.stopWhenDone();
    expect(await bot.result).toMatchObject({ reason: 'ended' });
    expect(bot.outcomes).toMatchObject([{ status: what.slice('is '.length) }]);
    expect(bot.deletions).toHaveLength(what === 'is kept' ? 0 : 1);
    expect(bot.task.exitCode).toBe(0);
    if (what === 'is deleted') {
      await expectGone(roomName, other);
    } else {
      const inside = await roomService(server).listParticipants(roomName);
      expect(inside.map(({ identity }) => identity)).toEqual(['other']);
      expect(other.events.map(({ event }) => event)).not.toContain('disconnected');
    }
  });
});
