import { randomUUID } from 'node:crypto';
import {
  AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  type RemoteTrack,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { Caller } from '../../src/testing/caller.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { joinToken } from '../support/tokens.ts';
import { tone } from '../support/tone.ts';
import { startCaller } from './calls.ts';

const saidMs = 300;

/** The same call with nothing but LiveKit's SDKs: join, listen, talk, delete the room. */
export async function bareCall(
  server: LiveKitServer,
  note: (caller: Caller) => Promise<void>,
): Promise<boolean> {
  const { url, httpUrl, apiKey, apiSecret } = server;
  const roomName = `bare-${randomUUID()}`;
  const room = new Room();
  let heard = 0;
  room.on(RoomEvent.TrackSubscribed, async (track: RemoteTrack) => {
    if (track.kind !== TrackKind.KIND_AUDIO) return;
    for await (const { data } of new AudioStream(track, { sampleRate: 16_000, numChannels: 1 })) {
      heard += data.length;
    }
  });
  await room.connect(url, await joinToken(server, roomName, 'bot'), { autoSubscribe: true, dynacast: false });
  const source = new AudioSource(24_000, 1);
  const track = LocalAudioTrack.createAudioTrack('bare', source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
  await room.localParticipant?.publishTrack(track, options);
  const caller = await startCaller(server, roomName);
  await caller.waitFor('trackSubscribed', { timeoutMs: 30_000 });
  await caller.playTone(440, saidMs);
  const { audio, sampleRate } = tone(880, saidMs);
  await source.captureFrame(new AudioFrame(audio, sampleRate, 1, audio.length));
  await source.waitForPlayout();
  await room.disconnect();
  await track.close();
  await new RoomServiceClient(httpUrl, apiKey, apiSecret).deleteRoom(roomName);
  await note(caller);
  return heard > 0;
}
