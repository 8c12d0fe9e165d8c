/** Reads the audio and video of other participants' tracks as streams of frames and images. */

import { type Observable, Subject } from 'rxjs';
import { UserAudioRawFrame } from '../../frames/audio.ts';
import type { UserImage } from '../../frames/images.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TrackSource } from '../transport-params.ts';
import type { RemoteTrack, RtcNode, VideoFrame } from './rtc-node.ts';

/** The format of received or published audio. */
export interface AudioFormat {
  /** In hertz. */
  readonly sampleRate: number;
  /** The number of interleaved channels. */
  readonly numChannels: number;
}

/** The owner and the source of a track. */
export interface TrackOrigin {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** The source of the track. */
  readonly source: TrackSource;
}

/** An image and its source. */
export interface ParticipantImage extends UserImage {
  /** The source of the track. */
  readonly source: TrackSource;
}

const frameSizeMs = 20;

/** Audio of all participants: one SDK stream per track, at the format wanted. */
export class ParticipantAudio {
  readonly #format: AudioFormat;
  readonly #readers: TrackReaders;
  /** The identity and `transportSource` of each track. */
  readonly #names = new Map<RemoteTrack, string>();
  readonly #audio = new Subject<UserAudioRawFrame>();
  /** Frames of 20 ms; completes on `close()`. */
  readonly audio$: Observable<UserAudioRawFrame> = this.#audio.asObservable();

  constructor(format: AudioFormat, logger: Logger) {
    this.#format = format;
    this.#readers = new TrackReaders(logger);
  }

  /**
   * Reads a track until it ends or is stopped; idempotent. The `transportSource` of its frames is its source; a second
   * microphone of the same participant is `microphone-2`.
   */
  read(rtc: RtcNode, track: RemoteTrack, { identity, source }: TrackOrigin): void {
    if (this.#readers.has(track) || this.#audio.closed) return;
    const stream = new rtc.AudioStream(track, { ...this.#format, frameSizeMs });
    const transportSource = this.#name(track, identity, source);
    this.#readers.read(track, stream, identity, ({ data: audio, sampleRate, channels: numChannels }) => {
      if (audio.length === 0) return;
      const frame = new UserAudioRawFrame({ audio, sampleRate, numChannels, userId: identity });
      frame.transportSource = transportSource;
      this.#audio.next(frame);
    });
  }

  /** Stops reading a track. */
  stop(track: RemoteTrack): void {
    this.#readers.stop(track);
    this.#names.delete(track);
  }

  /** Stops reading, for good. */
  close(): void {
    this.#readers.stopAll();
    this.#names.clear();
    this.#audio.complete();
  }

  #name(track: RemoteTrack, identity: string, source: string): string {
    for (const known of this.#names.keys()) if (!this.#readers.has(known)) this.#names.delete(known);
    const taken = new Set(this.#names.values());
    let name = source;
    for (let number = 2; taken.has(`${identity} ${name}`); number += 1) name = `${source}-${number}`;
    this.#names.set(track, `${identity} ${name}`);
    return name;
  }
}

/** A video track being read, and its latest image. */
interface VideoTrack extends TrackOrigin {
  readonly rtc: RtcNode;
  emittedMs: number;
  latest: VideoFrame | undefined;
}

/**
 * Video of all participants. Only the latest image of each track is kept, and only images that are due or requested
 * are converted, so that memory is bounded at any frame rate.
 */
export class ParticipantVideo {
  readonly #intervalMs: number;
  readonly #readers: TrackReaders;
  readonly #tracks = new Map<RemoteTrack, VideoTrack>();
  readonly #images = new Subject<ParticipantImage>();
  /** Images of each track, at the frame rate wanted at most; completes on `close()`. */
  readonly image$: Observable<ParticipantImage> = this.#images.asObservable();

  /** @param framerate Maximum images per second of each track. */
  constructor(framerate: number, logger: Logger) {
    this.#intervalMs = 1_000 / framerate;
    this.#readers = new TrackReaders(logger);
  }

  /** Reads a track until it ends or is stopped; idempotent. */
  read(rtc: RtcNode, track: RemoteTrack, origin: TrackOrigin): void {
    if (this.#readers.has(track) || this.#images.closed) return;
    const video: VideoTrack = { ...origin, rtc, emittedMs: Number.NEGATIVE_INFINITY, latest: undefined };
    this.#tracks.set(track, video);
    this.#readers.read(track, new rtc.VideoStream(track), origin.identity, ({ frame }) => {
      video.latest = frame;
      this.#emitWhenDue(video);
    });
  }

  /** The latest image of a participant; `undefined` where there is none. Default source: the camera. */
  latestImage(identity: string, source = 'camera'): ParticipantImage | undefined {
    for (const track of this.#tracks.values()) {
      if (track.identity === identity && track.source === source) return imageOf(track);
    }
    return undefined;
  }

  /** Stops reading a track. */
  stop(track: RemoteTrack): void {
    this.#readers.stop(track);
    this.#tracks.delete(track);
  }

  /** Stops reading, for good. */
  close(): void {
    this.#readers.stopAll();
    this.#tracks.clear();
    this.#images.complete();
  }

  #emitWhenDue(video: VideoTrack): void {
    const nowMs = performance.now();
    // tolerates jitter: without it, images that come at exactly this rate would be dropped every other time
    if (nowMs - video.emittedMs < this.#intervalMs * 0.9) return;
    video.emittedMs = nowMs;
    const image = imageOf(video);
    if (image !== undefined) this.#images.next(image);
  }
}

function imageOf({ rtc, latest, identity, source }: VideoTrack): ParticipantImage | undefined {
  if (latest === undefined) return undefined;
  const { data, width, height } = latest.convert(rtc.VideoBufferType.RGB24);
  return { image: data, width, height, format: 'RGB', userId: identity, source };
}

/** Reads one stream per track until it ends, fails or is stopped. */
class TrackReaders {
  readonly #logger: Logger;
  readonly #cancels = new Map<RemoteTrack, () => Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  has(track: RemoteTrack): boolean {
    return this.#cancels.has(track);
  }

  read<Value>(
    track: RemoteTrack,
    stream: ReadableStream<Value>,
    identity: string,
    onValue: (value: Value) => void,
  ): void {
    const reader = stream.getReader();
    const cancel = (): Promise<void> => reader.cancel();
    this.#cancels.set(track, cancel);
    const readAll = async (): Promise<void> => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) onValue(next.value);
    };
    readAll()
      .catch((error) => this.#logger.warn({ identity, error }, 'a track is not received any more'))
      .finally(() => {
        if (this.#cancels.get(track) === cancel) this.#cancels.delete(track);
      });
  }

  stop(track: RemoteTrack): void {
    const cancel = this.#cancels.get(track);
    this.#cancels.delete(track);
    cancel?.().catch(() => {});
  }

  stopAll(): void {
    for (const track of [...this.#cancels.keys()]) this.stop(track);
  }
}
