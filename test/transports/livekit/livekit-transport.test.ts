import { beforeAll, expect, it, vi } from 'vitest';
import { UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { ErrorFrame } from '../../../src/frames/error-frame.ts';
import { InterruptionTaskFrame } from '../../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../../src/frames/lifecycle.ts';
import { ParticipantLeftFrame } from '../../../src/frames/participants.ts';
import { TTSStoppedFrame } from '../../../src/frames/speaking.ts';
import { HeardAudio } from '../../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, roomExists, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { call, eventually, newTransport, silenceOf, sleep, startBot, tone } from './call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('LiveKitTransport', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it('is in the room as an agent, with its track, when the run has started', async () => {
    const bot = startBot(server);
    await bot.started;
    const { roomName, identity } = bot.transport;
    const permission = { agent: true, canUpdateMetadata: true };
    expect(await listParticipants(server, roomName)).toMatchObject([{ identity, permission }]);
    // LiveKit lists a track with its first packet, 15 to 60 ms after it was published
    const listed = async () => (await listParticipants(server, roomName))[0]?.tracks;
    await eventually(listed).toMatchObject([{ name: 'endframe-audio' }]);
    expect(bot.transport.roomName).toMatch(/^endframe-[0-9a-f]{32}$/);
    expect(bot.events).toEqual(['connected']);
  });

  it('says goodbye whole, leaves, and deletes the room after an EndFrame', async () => {
    const transport = newTransport(server);
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((who) => call(server, transport.roomName, who)));
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(1_500), new TTSStoppedFrame(), new EndFrame('bye'));
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'end', attempts: 1 }]);
    expect(bot.events.at(-1)).toBe('left');
    for (const caller of [ada, bob]) {
      expect(await caller?.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
      await caller?.exited;
      const heard = await caller?.heard();
      expect(heard?.heardMs).toBeGreaterThan(promised(1_420, 1_050));
      expect(heard?.heardMs).toBeLessThan(promised(1_620, 4_000));
      expect(heard?.frequencyHz).toBeGreaterThan(980);
      expect(heard?.frequencyHz).toBeLessThan(1_020);
    }
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });

  it('is not interrupted in its goodbye', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(1_200), new EndFrame());
    await ada.waitFor('audioStarted');
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.exited;
    expect((await ada.heard()).heardMs).toBeGreaterThan(promised(1_120, 850));
  });

  it('is silent soon after an interruption', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(20_000));
    await ada.waitFor('audioStarted');
    await sleep(500);
    const at = performance.timeOrigin + performance.now();
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    expect((await silenceOf(ada)) - at).toBeLessThan(promised(250));
  });

  it('cuts its speech and deletes the room at once after a CancelFrame', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(15_000));
    await ada.waitFor('audioStarted');
    await sleep(400);
    const at = performance.now();
    bot.task.cancel();
    expect(await bot.result).toMatchObject({ reason: 'cancelled', forced: false });
    expect(performance.now() - at).toBeLessThan(promised(1_000));
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'cancel' }]);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await ada.exited;
    expect((await ada.heard()).heardMs).toBeLessThan(promised(1_500, 12_000));
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });

  it('hears each caller apart, with their identity, at the asked rate', async () => {
    const bot = startBot(server, {
      params: { audioInEnabled: true, audioInSampleRate: 8_000 },
    });
    await bot.started;
    const callers = await Promise.all(['ada', 'bob'].map((who) => call(server, bot.transport.roomName, who)));
    // what they say before they are subscribed to is not heard: they speak for as long as the test runs
    for (const [index, caller] of callers.entries())
      caller.playTone(400 + 400 * index, 180_000).catch(() => {});
    for (const [index, userId] of ['ada', 'bob'].entries()) {
      const framesOfThem = () =>
        bot.inside.framesOf(UserAudioRawFrame).filter((frame) => frame.userId === userId);
      const report = () => {
        const heard = new HeardAudio();
        for (const { audio, sampleRate } of framesOfThem()) heard.add(audio, sampleRate, 0);
        return heard.report();
      };
      await eventually(() => report().heardMs).toBeGreaterThan(promised(600, 300));
      expect(Math.abs(report().frequencyHz - (400 + 400 * index))).toBeLessThan(promised(30, 150));
      expect(new Set(framesOfThem().map((frame) => frame.sampleRate))).toEqual(new Set([8_000]));
    }
  });

  it('tells who is there, who comes and who goes', async () => {
    const transport = newTransport(server);
    await call(server, transport.roomName, 'ada');
    const bot = startBot(server, { transport });
    await bot.started;
    const bob = await call(server, transport.roomName, 'bob');
    // of somebody who does not speak the server tells only every three seconds
    await bob.playTone(440, 100);
    await bob.leave();
    await eventually(() => bot.inside.framesOf(ParticipantLeftFrame)).toHaveLength(1);
    const names = bot.inside.frames.map((frame) => frame.constructor.name);
    expect(names.filter((name) => name !== 'UserAudioRawFrame')).toEqual([
      'StartFrame',
      'BotConnectedFrame',
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
      'ParticipantJoinedFrame',
      'ParticipantLeftFrame',
    ]);
    expect(bot.events).toEqual([
      'connected',
      'participantJoined ada',
      'participantJoined bob',
      'participantLeft bob',
    ]);
  });

  it('brings sound of another rate to its own', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(1_000, { rateHz: 16_000, frequencyHz: 500 }), new TTSStoppedFrame(), new EndFrame());
    await bot.result;
    await ada.exited;
    const { heardMs, frequencyHz } = await ada.heard();
    expect(heardMs).toBeGreaterThan(promised(920, 700));
    expect(frequencyHz).toBeGreaterThan(480);
    expect(frequencyHz).toBeLessThan(520);
  });

  it('stays for the next run after a StopFrame, whatever its rates', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const talking = ada.playTone(440, 20_000).catch(() => {});
    for (const rateHz of [16_000, 16_000, 24_000]) {
      const taskOptions = { audioInSampleRate: rateHz, audioOutSampleRate: rateHz };
      const bot = startBot(server, { transport, taskOptions });
      await bot.started;
      bot.says(...tone(400));
      await vi.waitFor(
        () => expect(bot.inside.framesOf(UserAudioRawFrame).length).toBeGreaterThan(3),
        30_000,
      );
      bot.says(new StopFrame());
      expect(await bot.result).toMatchObject({ reason: 'stopped', forced: false });
      expect(bot.inside.framesOf(UserAudioRawFrame).at(-1)?.sampleRate).toBe(rateHz);
      expect(bot.inside.framesOf(ErrorFrame)).toEqual([]);
      const participants = await listParticipants(server, transport.roomName);
      expect(participants.map(({ tracks }) => tracks.length)).toEqual([1, 1]);
    }
    const last = startBot(server, { transport });
    await last.started;
    last.says(new EndFrame());
    await last.result;
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await talking;
    expect((await ada.heard()).heardMs).toBeGreaterThan(promised(1_100, 850));
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });

  it('ends when somebody else deletes the room, and sends no deletion', async () => {
    const bot = startBot(server);
    await bot.started;
    bot.says(...tone(5_000));
    await sleep(300);
    const at = performance.now();
    await roomService(server).deleteRoom(bot.transport.roomName);
    expect(await bot.result).toMatchObject({ reason: 'ended', frame: { reason: 'ROOM_DELETED' } });
    expect(performance.now() - at).toBeLessThan(promised(1_000));
    expect(bot.outcomes).toMatchObject([{ status: 'already-gone', attempts: 0 }]);
    expect(bot.events).toEqual(['connected', 'disconnected ROOM_DELETED']);
  });

  it.each([
    ['end', 'ended'],
    ['cancel', 'cancelled'],
  ] as const)('follows the policy %s when it is thrown out', async (onRemoteDisconnect, reason) => {
    const bot = startBot(server, { onRemoteDisconnect });
    await bot.started;
    await call(server, bot.transport.roomName);
    await roomService(server).removeParticipant(bot.transport.roomName, bot.transport.identity);
    expect(await bot.result).toMatchObject({ reason });
    expect(bot.events).toContain('disconnected PARTICIPANT_REMOVED');
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });

  it('runs on when it is thrown out and told to ignore it', async () => {
    const bot = startBot(server, { onRemoteDisconnect: 'ignore' });
    await bot.started;
    await call(server, bot.transport.roomName);
    await roomService(server).removeParticipant(bot.transport.roomName, bot.transport.identity);
    await sleep(300);
    expect(bot.events).toContain('disconnected PARTICIPANT_REMOVED');
    expect(bot.task.hasFinished).toBe(false);
    bot.says(...tone(200), new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });

  it.each([
    ['end', 'always', 'ended'],
    ['ignore', 'no-agents-left', 'ended'],
    ['cancel', 'no-humans-left', 'cancelled'],
  ] as const)(
    'leaves the room to a bot that has joined with its identity; %s, %s',
    async (onRemoteDisconnect, deleteWhen, reason) => {
      const first = startBot(server, {
        identity: 'bot',
        onRemoteDisconnect,
        deleteRoomOnEnd: { deleteWhen },
      });
      await first.started;
      const { roomName } = first.transport;
      const ada = await call(server, roomName);
      const second = startBot(server, { roomName, identity: 'bot' });
      await second.started;
      expect(await first.result).toMatchObject({ reason });
      expect(first.events).toContain('disconnected DUPLICATE_IDENTITY');
      expect(first.outcomes).toMatchObject([{ status: 'kept', attempts: 0 }]);
      expect(first.task.exitCode).toBe(0);
      const again = startBot(server, { transport: first.transport });
      expect(await again.result).toMatchObject({ reason: 'failed' });
      const inside = await listParticipants(server, roomName);
      expect(inside.map(({ identity }) => identity).sort()).toEqual(['ada', 'bot']);
      expect(second.task.hasFinished).toBe(false);
      second.says(new EndFrame());
      await second.result;
      expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    },
  );

  it('keeps the room when told to', async () => {
    const bot = startBot(server, { deleteRoomOnEnd: false });
    await bot.started;
    await call(server, bot.transport.roomName);
    bot.says(new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended' });
    expect(await listParticipants(server, bot.transport.roomName)).toHaveLength(1);
    await roomService(server).deleteRoom(bot.transport.roomName);
  });

  it('deletes the room of a transport that was stopped and is closed', async () => {
    const bot = startBot(server);
    await bot.started;
    bot.says(new StopFrame());
    await bot.result;
    await bot.transport.close();
    expect(bot.outcomes).toMatchObject([{ status: 'deleted', trigger: 'manual' }]);
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });
});
