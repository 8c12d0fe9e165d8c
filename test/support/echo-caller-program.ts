/**
 * A caller who beeps and measures how long each beep takes to come back from the bot; echo-caller.ts starts it.
 *
 * The next beep comes when the one before was heard, or is lost, and some silence after it.
 */

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
import { HeardAudio } from '../../src/testing/heard-audio.ts';
import type { EchoTask } from './echo-caller.ts';

const sampleRate = 48_000;
const frameMs = 10;
const samplesPerFrame = (sampleRate * frameMs) / 1_000;
/** How far ahead the SDK is fed: as little as keeps it fed, so that a beep is sent when it is made. */
const queueMs = 40;
const beepMs = 100;
const beepHz = 1_000;
const pauseMs = 400;
/** Loopback loses packets where both cores are busy: a beep that has not come back by then never will. */
const lostAfterMs = 5_000;

const roundTripsMs: number[] = [];
/** When the beep that is under way was sent. */
let sentAt: number | undefined;
let silentSince = performance.now();

const silence = new Int16Array(samplesPerFrame);
const step = (2 * Math.PI * beepHz) / sampleRate;
const sound = Int16Array.from(silence, (_, index) => Math.round(12_000 * Math.sin(step * index)));

async function listen(track: RemoteTrack): Promise<void> {
  if (track.kind !== TrackKind.KIND_AUDIO) return;
  const heard = new HeardAudio();
  for await (const { data } of new AudioStream(track, { sampleRate, numChannels: 1, frameSizeMs: frameMs })) {
    const now = performance.now();
    if (!heard.add(data, sampleRate, now)) continue;
    if (sentAt !== undefined) roundTripsMs.push(now - sentAt);
    sentAt = undefined;
    silentSince = now;
  }
}

async function beep(source: AudioSource, beeps: number): Promise<void> {
  let left = 0;
  while (roundTripsMs.length < beeps) {
    if (sentAt !== undefined && performance.now() - sentAt > lostAfterMs) sentAt = undefined;
    if (sentAt === undefined && left === 0 && performance.now() - silentSince > pauseMs) {
      sentAt = performance.now() + source.queuedDuration;
      left = beepMs / frameMs;
    }
    const samples = left > 0 ? sound : silence;
    left = Math.max(0, left - 1);
    await source.captureFrame(new AudioFrame(samples.slice(), sampleRate, 1, samplesPerFrame));
  }
}

async function run({ url, token, beeps }: EchoTask): Promise<void> {
  const room = new Room();
  room.on(RoomEvent.TrackSubscribed, (track) => void listen(track));
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  const source = new AudioSource(sampleRate, 1, queueMs);
  const track = LocalAudioTrack.createAudioTrack('beeps', source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
  const publication = await room.localParticipant?.publishTrack(track, options);
  await publication?.waitForSubscription();
  await beep(source, beeps);
  process.send?.(roundTripsMs, undefined, undefined, () => process.exit());
}

process.on('message', (task: EchoTask) => void run(task));
process.on('disconnect', () => process.exit());
