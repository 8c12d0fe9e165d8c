/**
 * Many callers in one process, each in a room of its own, as cheap as can be: they share the machine with the
 * bots that are measured. Each talks until its room is deleted, and tells what it has heard and why it ended.
 */

import {
  AudioFrame,
  AudioSource,
  AudioStream,
  DisconnectReason,
  LocalAudioTrack,
  type RemoteTrack,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';

export interface CallersTask {
  readonly url: string;
  /** One for each caller. */
  readonly tokens: readonly string[];
}

export interface CallerEnd {
  readonly reason: string;
  readonly heardMs: number;
}

const sampleRate = 24_000;
const frameMs = 100;
const samplesPerFrame = (sampleRate * frameMs) / 1_000;
const loud = 1_000;
/** 440 hertz: whole periods in each frame. */
const sound = Int16Array.from({ length: samplesPerFrame }, (_, index) =>
  Math.round(12_000 * Math.sin((2 * Math.PI * 440 * index) / sampleRate)),
);

/** @param hears Called with the first sound. */
async function call(url: string, token: string, hears: () => void): Promise<CallerEnd> {
  const room = new Room();
  let heardMs = 0;
  room.on(RoomEvent.TrackSubscribed, async (track: RemoteTrack) => {
    if (track.kind !== TrackKind.KIND_AUDIO) return;
    for await (const { data } of new AudioStream(track, {
      sampleRate,
      numChannels: 1,
      frameSizeMs: frameMs,
    })) {
      if (!data.some((sample) => sample > loud)) continue;
      if (heardMs === 0) hears();
      heardMs += frameMs;
    }
  });
  const ended = new Promise<string>((resolve) => {
    room.on(RoomEvent.Disconnected, (reason) => resolve(DisconnectReason[reason] ?? String(reason)));
  });
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  const source = new AudioSource(sampleRate, 1, 2 * frameMs);
  const track = LocalAudioTrack.createAudioTrack('caller', source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
  await room.localParticipant?.publishTrack(track, options);
  let isOver = false;
  const talk = async (): Promise<void> => {
    while (!isOver) await source.captureFrame(new AudioFrame(sound, sampleRate, 1, samplesPerFrame));
  };
  talk().catch(() => {});
  const reason = await ended;
  isOver = true;
  return { reason, heardMs };
}

process.on('message', async ({ url, tokens }: CallersTask) => {
  const ends = await Promise.all(tokens.map((token) => call(url, token, () => process.send?.('hears'))));
  process.send?.(ends, undefined, undefined, () => process.exit());
});
process.on('disconnect', () => process.exit());
