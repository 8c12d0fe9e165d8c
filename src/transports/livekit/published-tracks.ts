import type { Listeners } from './listeners.ts';
import type { LocalTrack, Room, RtcHold } from './load-rtc-node.ts';
import type { AudioFormat } from './participant-audio.ts';
import { NotPublishedInTime } from './publish-track.ts';
import { PublishedAudio } from './published-audio.ts';
import { PublishedVideo, type VideoFormat } from './published-video.ts';
import { withRetries } from './with-retries.ts';

interface Published {
  readonly track: LocalTrack;
  unpublish(): Promise<void>;
  close(): Promise<void>;
}

/** One track for each destination; `undefined` is the default one. */
type Tracks<Track> = Map<string | undefined, Track>;

/** What others hear and see of the bot in one room. */
export class PublishedTracks {
  readonly #hold: RtcHold;
  readonly #room: Room;
  readonly #listeners: Listeners;
  readonly #voices: Tracks<PublishedAudio> = new Map();
  readonly #pictures: Tracks<PublishedVideo> = new Map();
  #muted = false;
  #closed = false;

  constructor(hold: RtcHold, room: Room, listeners: Listeners) {
    this.#hold = hold;
    this.#room = room;
    this.#listeners = listeners;
  }

  voice(destination: string | undefined): PublishedAudio | undefined {
    return this.#voices.get(destination);
  }

  picture(destination: string | undefined): PublishedVideo | undefined {
    return this.#pictures.get(destination);
  }

  /** Publishes a voice, unless it is already there in this format. */
  publishVoice(destination: string | undefined, format: AudioFormat): Promise<void> {
    if (this.#voices.get(destination)?.hasFormat(format) === true) return Promise.resolve();
    const place = { rtc: this.#hold.rtc, room: this.#room, listeners: this.#listeners };
    const publish = () => PublishedAudio.publish(place, format, destination);
    return this.#replace(this.#voices, destination, publish);
  }

  /** Publishes a picture, unless it is already there in this format. */
  publishPicture(destination: string | undefined, format: VideoFormat): Promise<void> {
    if (this.#pictures.get(destination)?.hasFormat(format) === true) return Promise.resolve();
    const publish = () => PublishedVideo.publish(this.#hold.rtc, this.#room, format, destination);
    return this.#replace(this.#pictures, destination, publish);
  }

  /** Mutes the bot's voices, also those that are published later, for others to see; or lets them be heard again. */
  mute(muted: boolean): void {
    this.#muted = muted;
    if (this.#closed) return;
    for (const { track } of this.#voices.values()) this.#hold.mute(track, muted);
  }

  /** Lets go of the native parts; nothing is sent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#voices.values(), ...this.#pictures.values()].map((track) => track.close()));
  }

  async #replace<Track extends Published>(
    tracks: Tracks<Track>,
    destination: string | undefined,
    publish: () => Promise<Track>,
  ): Promise<void> {
    await tracks.get(destination)?.unpublish();
    tracks.delete(destination);
    const givesUp = (error: unknown): boolean => this.#closed || error instanceof NotPublishedInTime;
    const published = await withRetries(publish, { givesUp });
    tracks.set(destination, published);
    if (this.#closed) await published.close();
    else if (this.#muted && published instanceof PublishedAudio) this.#hold.mute(published.track, true);
  }
}
