import type { ImageChunk } from '../../frames/images.ts';
import { InvalidOptionError } from '../../lib/errors.ts';
import type { LocalTrackPublication, LocalVideoTrack, Room, RtcNode, VideoSource } from './load-rtc-node.ts';
import { publishTrack, unpublishTrack } from './publish-track.ts';

/** In pixels. */
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

/** A picture of the bot: a track of the room, fed with images. */
export class PublishedVideo {
  readonly #parts: Parts;
  #closed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * @param destination Names a further track; `undefined` is the bot's own picture.
   * @throws {Error} What LiveKit says why it was not published; nothing is left behind then.
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
      // several sizes at once are for large meetings, and cost the bot an encoder each
      simulcast: false,
    });
    const publication = await publishTrack(room, track, options);
    return new PublishedVideo({ rtc, room, width, height, source, track, publication });
  }

  get track(): LocalVideoTrack {
    return this.#parts.track;
  }

  hasFormat({ width, height }: VideoFormat): boolean {
    return this.#parts.width === width && this.#parts.height === height;
  }

  /**
   * Shows a picture, of any size; others see it until the next one.
   *
   * @returns False when the track is closed.
   * @throws {InvalidOptionError} Its format is not known here, or its bytes are not as many as it has pixels.
   */
  show(image: ImageChunk): boolean {
    if (this.#closed) return false;
    const { rtc, source } = this.#parts;
    const { width, height, format = 'RGB' } = image;
    const pixelBytes = bytesPerPixel[format];
    if (pixelBytes === undefined) {
      throw new InvalidOptionError('format', Object.keys(bytesPerPixel).join(', '), format);
    }
    // the native side reads as many as it expects, whether they are there or not
    if (!(width > 0 && height > 0) || image.image.length !== width * height * pixelBytes) {
      throw new InvalidOptionError('image', `${width} × ${height} × ${pixelBytes} bytes`, image.image.length);
    }
    source.captureFrame(new rtc.VideoFrame(own(image.image), width, height, bufferType(rtc, format)));
    return true;
  }

  /** Lets go of the native parts; nothing is sent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#parts.track.close();
  }

  /** Takes the track out of the room. */
  async unpublish(): Promise<void> {
    await unpublishTrack(this.#parts.room, this.#parts.publication);
    await this.close();
  }
}

/** The SDK reads from the beginning of the memory, wherever the bytes are in it. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function bufferType({ VideoBufferType }: RtcNode, format: string): number {
  return VideoBufferType[(format === 'RGB' ? 'RGB24' : format) as 'RGB24'];
}
