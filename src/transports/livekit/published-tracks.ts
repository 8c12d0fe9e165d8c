/** The bot's published tracks in one room, by destination, and its video tracks. */

import type { ImageChunk } from '../../frames/images.ts';
import { InvalidOptionError } from '../../lib/errors.ts';
import type { AudioFormat } from './participant-media.ts';
import { type Listeners, PublishedAudio } from './published-audio.ts';
import {
  type LocalTrackPublication,
  type LocalVideoTrack,
  ownBuffer,
  PublishTimeoutError,
  publishTrack,
  type Room,
  type RtcHandle,
  type RtcNode,
  unpublishTrack,
  type VideoSource,
} from './rtc-node.ts';
import { withRetries } from './with-retries.ts';

interface Published {
  unpublish(): Promise<void>;
  close(): Promise<void>;
}

/** One track for each destination; `undefined` is the default one. */
type Tracks<Track> = Map<string | undefined, Track>;

/** The bot's published tracks in one room, by destination. */
export class PublishedTracks {
  readonly #handle: RtcHandle;
  readonly #room: Room;
  readonly #listeners: Listeners;
  readonly #audio: Tracks<PublishedAudio> = new Map();
  readonly #video: Tracks<PublishedVideo> = new Map();
  #muted = false;
  #closed = false;

  constructor(handle: RtcHandle, room: Room, listeners: Listeners) {
    this.#handle = handle;
    this.#room = room;
    this.#listeners = listeners;
  }

  /** The audio track of a destination. */
  audioTrack(destination: string | undefined): PublishedAudio | undefined {
    return this.#audio.get(destination);
  }

  /** The video track of a destination. */
  videoTrack(destination: string | undefined): PublishedVideo | undefined {
    return this.#video.get(destination);
  }

  /** Publishes an audio track, unless it is published in this format already. */
  publishAudio(destination: string | undefined, format: AudioFormat): Promise<void> {
    if (this.#audio.get(destination)?.hasFormat(format) === true) return Promise.resolve();
    const place = { rtc: this.#handle.rtc, room: this.#room, listeners: this.#listeners };
    const publish = () => PublishedAudio.publish(place, format, destination);
    return this.#replace(this.#audio, destination, publish);
  }

  /** Publishes a video track, unless it is published in this size already. */
  publishVideo(destination: string | undefined, format: VideoFormat): Promise<void> {
    if (this.#video.get(destination)?.hasFormat(format) === true) return Promise.resolve();
    const publish = () => PublishedVideo.publish(this.#handle.rtc, this.#room, format, destination);
    return this.#replace(this.#video, destination, publish);
  }

  /** Mutes or unmutes the audio tracks, including later ones, visibly to others. */
  mute(muted: boolean): void {
    this.#muted = muted;
    if (this.#closed) return;
    for (const { track } of this.#audio.values()) this.#handle.mute(track, muted);
  }

  /** Releases native resources without unpublishing. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#audio.values(), ...this.#video.values()].map((track) => track.close()));
  }

  async #replace<Track extends Published>(
    tracks: Tracks<Track>,
    destination: string | undefined,
    publish: () => Promise<Track>,
  ): Promise<void> {
    await tracks.get(destination)?.unpublish();
    tracks.delete(destination);
    const givesUp = (error: unknown): boolean => this.#closed || error instanceof PublishTimeoutError;
    const published = await withRetries(publish, { givesUp });
    tracks.set(destination, published);
    if (this.#closed) await published.close();
    else if (this.#muted && published instanceof PublishedAudio) this.#handle.mute(published.track, true);
  }
}

/** The size of a track, in pixels. */
export interface VideoFormat {
  /** The width, in pixels. */
  readonly width: number;
  /** The height, in pixels. */
  readonly height: number;
}

const bytesPerPixel: Readonly<Record<string, number>> = { RGB: 3, RGBA: 4, BGRA: 4, ARGB: 4, ABGR: 4 };

interface Parts extends VideoFormat {
  readonly rtc: RtcNode;
  readonly room: Room;
  readonly source: VideoSource;
  readonly track: LocalVideoTrack;
  readonly publication: LocalTrackPublication;
}

/** A published video track, written image by image. */
export class PublishedVideo {
  readonly #parts: Parts;
  #closed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Publishes a track.
   *
   * @param destination Its name; `undefined` for the default one, which is a camera.
   * @throws {Error} LiveKit's reason; native resources are released.
   */
  static async publish(
    rtc: RtcNode,
    room: Room,
    { width, height }: VideoFormat,
    destination: string | undefined,
  ): Promise<PublishedVideo> {
    const { SOURCE_CAMERA, SOURCE_UNKNOWN } = rtc.TrackSource;
    const source = new rtc.VideoSource(width, height);
    const track = rtc.LocalVideoTrack.createVideoTrack(destination ?? 'endframe-video', source);
    const options = new rtc.TrackPublishOptions({
      source: destination === undefined ? SOURCE_CAMERA : SOURCE_UNKNOWN,
      // simulcast costs an encoder per size
      simulcast: false,
    });
    const publication = await publishTrack(room, track, options);
    return new PublishedVideo({ rtc, room, width, height, source, track, publication });
  }

  /** The SDK's track. */
  get track(): LocalVideoTrack {
    return this.#parts.track;
  }

  /** Whether it was published in this size. */
  hasFormat({ width, height }: VideoFormat): boolean {
    return this.#parts.width === width && this.#parts.height === height;
  }

  /**
   * Sends an image, of any size.
   *
   * @returns False when the track is closed.
   * @throws {InvalidOptionError} Its format is not supported, or the number of bytes does not match its size.
   */
  write(image: ImageChunk): boolean {
    if (this.#closed) return false;
    const { rtc, source } = this.#parts;
    const { width, height, format = 'RGB' } = image;
    const pixelBytes = bytesPerPixel[format];
    if (pixelBytes === undefined) {
      throw new InvalidOptionError('format', Object.keys(bytesPerPixel).join(', '), format);
    }
    // the native side reads without bounds checks
    if (!(width > 0 && height > 0) || image.image.length !== width * height * pixelBytes) {
      throw new InvalidOptionError('image', `${width} × ${height} × ${pixelBytes} bytes`, image.image.length);
    }
    source.captureFrame(new rtc.VideoFrame(ownBuffer(image.image), width, height, bufferType(rtc, format)));
    return true;
  }

  /** Releases native resources without unpublishing; idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#parts.track.close();
  }

  /** Unpublishes the track and releases native resources. */
  async unpublish(): Promise<void> {
    await unpublishTrack(this.#parts.room, this.#parts.publication);
    await this.close();
  }
}

function bufferType({ VideoBufferType }: RtcNode, format: string): number {
  return VideoBufferType[(format === 'RGB' ? 'RGB24' : format) as 'RGB24'];
}
