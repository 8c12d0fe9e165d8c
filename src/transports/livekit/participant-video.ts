import { type Observable, Subject } from 'rxjs';
import type { UserImage } from '../../frames/images.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TrackSource } from '../transport-params.ts';
import type { RemoteTrack, RtcNode, VideoFrame } from './load-rtc-node.ts';
import type { TrackOrigin } from './track-origin.ts';
import { TrackReaders } from './track-readers.ts';

/** A picture, and what it is of. */
export interface ParticipantImage extends UserImage {
  readonly source: TrackSource;
}

/** A track that is watched, and the one picture of it that is kept. */
interface Watched extends TrackOrigin {
  readonly rtc: RtcNode;
  shownMs: number;
  newest: VideoFrame | undefined;
}

/**
 * The pictures of all participants. Of each track only the newest is kept, and only what is due, or asked for, is
 * converted: however fast they come, nothing grows here.
 */
export class ParticipantVideo {
  readonly #intervalMs: number;
  readonly #readers: TrackReaders;
  readonly #watched = new Map<RemoteTrack, Watched>();
  readonly #images = new Subject<ParticipantImage>();
  /** At most as many of each track in a second as were wanted; completes when it is closed. */
  readonly image$: Observable<ParticipantImage> = this.#images.asObservable();

  constructor(perSecond: number, logger: Logger) {
    this.#intervalMs = 1_000 / perSecond;
    this.#readers = new TrackReaders(logger);
  }

  /** Watches a track until it is stopped, or ends by itself. */
  watch(rtc: RtcNode, track: RemoteTrack, origin: TrackOrigin): void {
    if (this.#readers.has(track) || this.#images.closed) return;
    const watched: Watched = { ...origin, rtc, shownMs: Number.NEGATIVE_INFINITY, newest: undefined };
    this.#watched.set(track, watched);
    this.#readers.read(track, new rtc.VideoStream(track), origin.identity, ({ frame }) => {
      watched.newest = frame;
      this.#showWhenDue(watched);
    });
  }

  /** The newest picture of a participant, if there is one; of the camera where nothing else is asked for. */
  look(identity: string, source = 'camera'): ParticipantImage | undefined {
    for (const watched of this.#watched.values()) {
      if (watched.identity === identity && watched.source === source) return imageOf(watched);
    }
    return undefined;
  }

  stop(track: RemoteTrack): void {
    this.#readers.stop(track);
    this.#watched.delete(track);
  }

  close(): void {
    this.#readers.stopAll();
    this.#watched.clear();
    this.#images.complete();
  }

  #showWhenDue(watched: Watched): void {
    const nowMs = performance.now();
    // frames come in a rhythm of their own: without some tolerance every other one would be missed
    if (nowMs - watched.shownMs < this.#intervalMs * 0.9) return;
    watched.shownMs = nowMs;
    const image = imageOf(watched);
    if (image !== undefined) this.#images.next(image);
  }
}

function imageOf({ rtc, newest, identity, source }: Watched): ParticipantImage | undefined {
  if (newest === undefined) return undefined;
  const { data, width, height } = newest.convert(rtc.VideoBufferType.RGB24);
  return { image: data, width, height, format: 'RGB', userId: identity, source };
}
