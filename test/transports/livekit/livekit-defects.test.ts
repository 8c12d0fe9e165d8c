/** What is known to go wrong in other transports for LiveKit, one test each; pictures are in livekit-video.test.ts. */

import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { EndFrame, StopFrame } from '../../../src/frames/lifecycle.ts';
import { ClientConnectedFrame, ParticipantJoinedFrame } from '../../../src/frames/participants.ts';
import { HeardAudio } from '../../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { loadRtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { eventually, newTransport, startBot, tone } from './call.ts';
import { joinAsPeer } from './peer.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** Everything that the SDK's client still has to tell to somebody. */
function listenerCount(): number {
  const { _ffiClientInstance: client } = globalThis as { _ffiClientInstance?: unknown };
  return (client as { listenerCount(event: string): number } | undefined)?.listenerCount('ffi_event') ?? 0;
}

describe('LiveKitTransport', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it('reads no sound that nobody wants, so nothing grows', async () => {
    const params = { videoInEnabled: true, audioOutEnabled: true };
    const transport = newTransport(server, { params });
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    const kinds: string[] = [];
    transport.on('trackSubscribed', ({ kind }) => kinds.push(kind));
    await ada.does({ does: 'speak', frequencyHz: 440 });
    // who shows something later is seen, so the sound would have come by then
    await ada.does({ does: 'show', width: 320, height: 240, rgb: [230, 20, 20] });
    await eventually(() => bot.inside.frames.at(-1)?.constructor.name).toBe('UserImageRawFrame');
    expect(kinds).toEqual(['video']);
    expect(bot.inside.framesOf(UserAudioRawFrame)).toEqual([]);
  });

  it('lets go of each track that ends, so nothing grows', async () => {
    const transport = newTransport(server);
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    await eventually(listenerCount).toBeLessThan(3);
    const before = listenerCount();
    for (let time = 0; time < 4; time += 1) {
      bot.inside.clear();
      await ada.does({ does: 'speak', frequencyHz: 440 });
      await eventually(() => bot.inside.framesOf(UserAudioRawFrame).length).toBeGreaterThan(0);
      await ada.does({ does: 'stopSpeaking' });
    }
    await eventually(listenerCount).toBe(before);
  });

  it('has a resampler for each speaker', async () => {
    const transport = newTransport(server, {
      params: { audioInEnabled: true, audioInSampleRate: 8_000 },
    });
    const hz = { ada: 440, bob: 1_000 };
    const bot = startBot(server, { transport });
    await bot.started;
    for (const [identity, frequencyHz] of Object.entries(hz)) {
      const peer = await joinAsPeer(server, transport.roomName, identity);
      await peer.does({ does: 'speak', frequencyHz });
    }
    const of = (userId: string) =>
      bot.inside.framesOf(UserAudioRawFrame).filter((frame) => frame.userId === userId);
    await eventually(() => Math.min(of('ada').length, of('bob').length)).toBeGreaterThan(40);
    for (const [identity, frequencyHz] of Object.entries(hz)) {
      const heard = new HeardAudio();
      for (const { audio, sampleRate } of of(identity)) heard.add(audio, sampleRate, 0);
      // with gaps in it, on a busy machine, it is heard lower; the other one's is still further away
      expect(Math.abs(heard.report().frequencyHz - frequencyHz)).toBeLessThan(200);
    }
  });

  it.each([
    ['the bot leaves', ['connected', 'left']],
    ['the room is deleted', ['connected', 'disconnected ROOM_DELETED']],
  ])('tells of connect and disconnect once when %s', async (how, events) => {
    const bot = startBot(server);
    await bot.started;
    if (how === 'the bot leaves') bot.says(new EndFrame());
    else await roomService(server).deleteRoom(bot.transport.roomName);
    await bot.result;
    expect(bot.events).toEqual(events);
  });

  it('tells of everybody who was there before as well, by frames and by events', async () => {
    const transport = newTransport(server);
    for (const identity of ['ada', 'bob']) await joinAsPeer(server, transport.roomName, identity);
    const bot = startBot(server, { transport });
    await bot.started;
    const [first, ...rest] = bot.events;
    expect(first).toBe('connected');
    // the server lists them in no order
    expect(rest.sort()).toEqual(['participantJoined ada', 'participantJoined bob']);
    const joined = bot.inside.framesOf(ParticipantJoinedFrame).map(({ identity }) => identity);
    expect(joined.sort()).toEqual(['ada', 'bob']);
    expect(bot.inside.framesOf(ClientConnectedFrame)).toHaveLength(1);
  });

  it('leaves at the end of the third run, which counts its owners anew each time', async () => {
    const transport = newTransport(server, { deleteRoomOnEnd: false });
    for (const last of [new StopFrame(), new StopFrame(), new EndFrame()]) {
      const bot = startBot(server, { transport });
      await bot.started;
      await eventually(() => listParticipants(server, transport.roomName)).toHaveLength(1);
      bot.says(...tone(100), last);
      expect(await bot.result).toMatchObject({ forced: false });
    }
    await eventually(() => listParticipants(server, transport.roomName)).toEqual([]);
    expect(listenerCount()).toBe(0);
  });

  it('joins again after it has left a room that stays, with everything it publishes', async () => {
    const transport = newTransport(server, { deleteRoomOnEnd: false });
    const ada = await joinAsPeer(server, transport.roomName);
    for (let round = 0; round < 3; round += 1) {
      const bot = startBot(server, { transport });
      await bot.started;
      bot.says(...tone(20_000, { frequencyHz: 1_000 }));
      await ada.knows({ heardHz: { 'endframe-audio': 1_000 } });
      bot.task.cancel();
      await bot.result;
    }
    expect(transport.participants).toEqual([]);
  });

  it('tries to publish again when that failed and the join did not', async () => {
    const { LocalParticipant } = await loadRtcNode();
    const publishTrack = LocalParticipant.prototype.publishTrack;
    const publish = vi.spyOn(LocalParticipant.prototype, 'publishTrack');
    onTestFinished(() => publish.mockRestore());
    publish.mockRejectedValueOnce(new Error('not now')).mockImplementation(publishTrack);
    const transport = newTransport(server);
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    expect(publish).toHaveBeenCalledTimes(2);
    expect(bot.events.filter((event) => event === 'connected')).toHaveLength(1);
    bot.says(...tone(20_000, { frequencyHz: 1_000 }));
    await ada.knows({ heardHz: { 'endframe-audio': 1_000 } });
  });
});
