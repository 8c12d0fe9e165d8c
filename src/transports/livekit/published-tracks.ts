/** The bot's published tracks in one room, by destination. */

import type { AudioFormat } from './participant-media.ts';
import { type Listeners, PublishedAudio } from './published-audio.ts';
import { PublishedVideo, type VideoFormat } from './published-video.ts';
import { PublishTimeoutError, type Room, type RtcHandle } from './rtc-node.ts';
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
