/** The bot's published video tracks. */

import type { ImageChunk } from '../../frames/images.ts';
import { InvalidOptionError } from '../../lib/errors.ts';
import {
  type LocalTrackPublication,
  type LocalVideoTrack,
  ownBuffer,
  publishTrack,
  type Room,
  type RtcNode,
  unpublishTrack,
  type VideoSource,
} from './rtc-node.ts';

/** The size of a track, in pixels. */
export interface VideoFormat {
  readonly width: number;
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
