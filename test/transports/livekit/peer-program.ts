/** Somebody in the bot's room who can do what callers cannot: show pictures, write, change attributes; see peer.ts. */

import {
  AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  LocalVideoTrack,
  type RemoteTrack,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
  VideoBufferType,
  VideoFrame,
  VideoSource,
  VideoStream,
} from '@livekit/rtc-node';
import type { PeerAnswer, PeerOrder, Seen } from './peer.ts';

const room = new Room();
const messages: string[] = [];
const keys: string[] = [];
const muted: Record<string, boolean> = {};
const seen: Record<string, Seen> = {};
const heardHz: Record<string, number> = {};
const rateHz = 48_000;
let stopShowing = async (): Promise<void> => {};
let stopSpeaking = async (): Promise<void> => {};

room
  .on(RoomEvent.DataReceived, (data) => void messages.push(new TextDecoder().decode(data)))
  .on(RoomEvent.DtmfReceived, (_, digit) => void keys.push(digit))
  .on(RoomEvent.TrackMuted, ({ name = '' }) => {
    muted[name] = true;
  })
  .on(RoomEvent.TrackUnmuted, ({ name = '' }) => {
    muted[name] = false;
  })
  .on(RoomEvent.TrackSubscribed, (track, { name = '' }) => {
    void (track.kind === TrackKind.KIND_VIDEO ? watch(track, name) : listen(track, name));
  });

async function watch(track: RemoteTrack, name: string): Promise<void> {
  for await (const { frame } of new VideoStream(track)) {
    const { width, height } = frame;
    const { data } = frame.convert(VideoBufferType.RGB24);
    const middle = 3 * (Math.floor(height / 2) * width + Math.floor(width / 2));
    seen[name] = { width, height, rgb: [...data.subarray(middle, middle + 3)] };
  }
}

/** The frequency of the last tenth of a second, by its zero crossings; 0 for silence. */
async function listen(track: RemoteTrack, name: string): Promise<void> {
  let window: number[] = [];
  for await (const { data } of new AudioStream(track, { sampleRate: rateHz, numChannels: 1 })) {
    window = [...window, ...data].slice(-rateHz / 10);
    const isLoud = window.some((sample) => Math.abs(sample) > 1_000);
    const rises = window.filter((sample, at) => sample >= 0 && (window[at - 1] ?? 0) < 0).length;
    heardHz[name] = isLoud ? rises * 10 : 0;
  }
}

async function show({ rgb, width, height }: Seen): Promise<void> {
  await stopShowing();
  const source = new VideoSource(width, height);
  const track = LocalVideoTrack.createVideoTrack('camera', source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_CAMERA, simulcast: false });
  const publication = await room.localParticipant?.publishTrack(track, options);
  const pixels = new Uint8Array(width * height * 3).map((_, at) => rgb[at % 3] ?? 0);
  const film = setInterval(
    () => source.captureFrame(new VideoFrame(pixels, width, height, VideoBufferType.RGB24)),
    50,
  );
  stopShowing = async () => {
    clearInterval(film);
    await room.localParticipant?.unpublishTrack(publication?.sid ?? '');
    stopShowing = async () => {};
  };
}

async function speak(frequencyHz: number): Promise<void> {
  await stopSpeaking();
  const stop = await play('voice', TrackSource.SOURCE_MICROPHONE, frequencyHz);
  stopSpeaking = async () => {
    await stop();
    stopSpeaking = async () => {};
  };
}

/** @returns Ends it. */
async function play(name: string, of: TrackSource, frequencyHz: number): Promise<() => Promise<void>> {
  const source = new AudioSource(rateHz, 1);
  const track = LocalAudioTrack.createAudioTrack(name, source);
  const options = new TrackPublishOptions({ source: of });
  const publication = await room.localParticipant?.publishTrack(track, options);
  let speaks = true;
  const samples = Int16Array.from({ length: rateHz / 50 }, (_, at) =>
    Math.round(12_000 * Math.sin((2 * Math.PI * frequencyHz * at) / rateHz)),
  );
  void (async () => {
    while (speaks) await source.captureFrame(new AudioFrame(samples, rateHz, 1, samples.length));
  })().catch(() => {});
  return async () => {
    speaks = false;
    await room.localParticipant?.unpublishTrack(publication?.sid ?? '');
  };
}

async function obey(order: PeerOrder): Promise<unknown> {
  const me = room.localParticipant;
  switch (order.does) {
    case 'join':
      return room.connect(order.url, order.token, { autoSubscribe: true, dynacast: false });
    case 'setAttributes':
      return me?.setAttributes({ ...order.attributes });
    case 'setMetadata':
      return me?.updateMetadata(order.metadata);
    case 'write':
      return me?.publishData(new TextEncoder().encode(order.text), { reliable: true });
    case 'press':
      return me?.publishDtmf(order.code, order.digit);
    case 'show':
      return show(order);
    case 'stopShowing':
      return stopShowing();
    case 'speak':
      return speak(order.frequencyHz);
    case 'share':
      await play('screen', TrackSource.SOURCE_SCREENSHARE_AUDIO, order.frequencyHz);
      return;
    case 'stopSpeaking':
      return stopSpeaking();
    case 'tell': {
      const attributes = Object.fromEntries(
        [...room.remoteParticipants.values()].map((one) => [one.identity, one.attributes]),
      );
      return { messages, keys, muted, seen, heardHz, attributes };
    }
  }
}

process.on('message', ({ id, order }: { id: number; order: PeerOrder }) => {
  const answer = (rest: Omit<PeerAnswer, 'id'>): void => void process.send?.({ id, ...rest });
  obey(order).then(
    (value) => answer(order.does === 'tell' ? { value } : {}),
    (error) => answer({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
