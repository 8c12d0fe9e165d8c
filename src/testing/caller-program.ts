/** The program of a caller's process; caller.ts sends it commands and receives its events over IPC. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteTrack, Room } from '@livekit/rtc-node';
import { errorMessage, MissingDependencyError } from '../lib/errors.ts';
import type { CallerCommand, CallerEvent } from './caller.ts';
import { HeardAudio } from './heard-audio.ts';

type Rtc = typeof import('@livekit/rtc-node');
type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

const sampleRate = 48_000;
const pieceMs = 10;
const subscribeLimitMs = 1_000;
const tailMs = 200;

const heard = new Map<string, HeardAudio>();
let rtc: Rtc | undefined;
let room: Room | undefined;
let leaving = false;

function send(event: WithoutTime<CallerEvent>): void {
  process.send?.({ ...event, at: now() });
}

/** Wall clock with fractions, the same in every process of this machine. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

async function loadRtc(): Promise<Rtc> {
  try {
    return await import('@livekit/rtc-node');
  } catch (cause) {
    throw new MissingDependencyError('@livekit/rtc-node', 'Install it: npm install @livekit/rtc-node', {
      cause,
    });
  }
}

async function join({ url, token, rejoins }: Extract<CallerCommand, { command: 'join' }>): Promise<void> {
  rtc ??= await loadRtc();
  const { Room, RoomEvent, DisconnectReason } = rtc;
  room = new Room();
  room
    .on(RoomEvent.ParticipantConnected, ({ identity }) => send({ event: 'participantJoined', identity }))
    .on(RoomEvent.ParticipantDisconnected, ({ identity }) => send({ event: 'participantLeft', identity }))
    .on(RoomEvent.ParticipantAttributesChanged, (attributes, { identity }) =>
      send({ event: 'attributesChanged', identity, attributes }),
    )
    .on(RoomEvent.TrackSubscribed, (track, _publication, { identity }) => {
      send({ event: 'trackSubscribed', identity });
      listen(track, identity).catch(fail);
    })
    .on(RoomEvent.DataReceived, (data, sender) =>
      send({ event: 'messageReceived', identity: sender?.identity, text: new TextDecoder().decode(data) }),
    )
    .on(RoomEvent.DtmfReceived, (_code, key, { identity }) => send({ event: 'keyReceived', identity, key }))
    .on(RoomEvent.Reconnecting, () => send({ event: 'reconnecting' }))
    .on(RoomEvent.Reconnected, () => send({ event: 'reconnected' }))
    .on(RoomEvent.Disconnected, (reason) => {
      if (leaving) return;
      report();
      send({ event: 'disconnected', reason: DisconnectReason[reason] ?? String(reason) });
      if (rejoins) join({ command: 'join', url, token, rejoins }).catch(fail);
      else end();
    });
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  const identity = room.localParticipant?.identity ?? '';
  send({ event: 'joined', identity, roomSid: await room.getSid() });
  for (const other of room.remoteParticipants.values()) {
    send({ event: 'participantJoined', identity: other.identity });
  }
}

async function listen(track: RemoteTrack, identity: string): Promise<void> {
  if (rtc === undefined || track.kind !== rtc.TrackKind.KIND_AUDIO) return;
  const audio = heard.get(identity) ?? new HeardAudio();
  heard.set(identity, audio);
  let started = false;
  const stream = new rtc.AudioStream(track, { sampleRate, numChannels: 1, frameSizeMs: pieceMs });
  for await (const frame of stream) {
    const isSound = audio.add(frame.data, frame.sampleRate, now());
    if (isSound && !started) send({ event: 'audioStarted', identity });
    started ||= isSound;
  }
}

async function playTone(frequencyHz: number, durationMs: number): Promise<void> {
  if (rtc === undefined || room?.localParticipant === undefined) return;
  const { AudioFrame, AudioSource, LocalAudioTrack, TrackPublishOptions, TrackSource } = rtc;
  const source = new AudioSource(sampleRate, 1);
  const track = LocalAudioTrack.createAudioTrack('tone', source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
  const publication = await room.localParticipant.publishTrack(track, options);
  // audio ahead of the first subscription is lost; without one, it is played all the same
  await Promise.race([publication.waitForSubscription(), sleep(subscribeLimitMs)]);
  const samplesPerFrame = (sampleRate * pieceMs) / 1_000;
  const step = (2 * Math.PI * frequencyHz) / sampleRate;
  for (let frame = 0; frame * pieceMs < durationMs; frame += 1) {
    const first = frame * samplesPerFrame;
    const samples = Int16Array.from({ length: samplesPerFrame }, (_, index) =>
      Math.round(12_000 * Math.sin(step * (first + index))),
    );
    await source.captureFrame(new AudioFrame(samples, sampleRate, 1, samplesPerFrame));
  }
  await source.waitForPlayout();
  // the last samples are still on the network
  await sleep(tailMs);
  if (publication.sid !== undefined) await room.localParticipant.unpublishTrack(publication.sid);
  await track.close();
  send({ event: 'tonePlayed' });
}

async function pressKeys(keys: string): Promise<void> {
  for (const key of keys) await room?.localParticipant?.publishDtmf('0123456789*#'.indexOf(key), key);
  send({ event: 'keysPressed' });
}

async function sendMessage(text: string): Promise<void> {
  await room?.localParticipant?.publishData(new TextEncoder().encode(text), { reliable: true });
  send({ event: 'messageSent' });
}

function report(): void {
  for (const [identity, audio] of heard) send({ event: 'heard', identity, ...audio.report() });
}

async function leave(): Promise<void> {
  leaving = true;
  report();
  await room?.disconnect();
  send({ event: 'left' });
  end();
}

/** Exits explicitly, as the SDK keeps the process alive, after the last messages are sent. */
function end(exitCode = 0): void {
  process.exitCode = exitCode;
  if (process.connected) process.disconnect();
  else process.exit();
}

function fail(error: unknown): void {
  send({ event: 'failed', message: errorMessage(error) });
  end(1);
}

async function run(command: CallerCommand): Promise<void> {
  switch (command.command) {
    case 'join':
      return join(command);
    case 'playTone':
      return playTone(command.frequencyHz, command.durationMs);
    case 'pressKeys':
      return pressKeys(command.keys);
    case 'sendMessage':
      return sendMessage(command.text);
    case 'report':
      return report();
    case 'leave':
      return leave();
  }
}

process.on('message', (command: CallerCommand) => {
  run(command).catch(fail);
});
// also when the parent process is gone
process.on('disconnect', () => process.exit());
process.on('uncaughtException', fail);
