/** The bot's published audio tracks, and the participants that listen to them. */

import type { AudioChunk } from '../../frames/audio.ts';
import { type Company, isCompany } from '../../frames/participants.ts';
import { withTimeout } from '../../lib/timeout.ts';
import type { Participant } from '../room-transport.ts';
import type { AudioFormat } from './participant-media.ts';
import {
  type AudioSource,
  type LocalAudioTrack,
  type LocalTrackPublication,
  ownBuffer,
  publishTrack,
  type Room,
  type RtcNode,
  unpublishTrack,
} from './rtc-node.ts';

/** Buffer of the SDK, in milliseconds: how long the event loop may block without a gap. */
const queueMs = 200;
/** How long the first chunk waits for the first subscription, which LiveKit reports. */
const firstListenerLimitMs = 1_000;
/**
 * Time for a listener to subscribe, from when the participant and the track are there, where LiveKit does not report
 * it: for the second subscription and all later ones. On loopback, on an overloaded machine, it took 80 to 220 ms.
 */
const listenerTimeMs = 500;
/** After so long without a chunk the next one starts a new speech. */
const pauseMs = 500;
/** Silence ahead of the first chunk: a listener that has just subscribed loses up to 100 ms. */
const leadMs = 100;
/**
 * From the SDK's last sample to the listener. Leaving right after the last sample cut 40 to 60 ms of it on loopback,
 * leaving 100 ms later nothing; the rest is for a network.
 */
const tailMs = 200;

/** The participants that count as company, and since when. */
export class Listeners {
  readonly #company: Company;
  readonly #since = new Map<string, number>();

  constructor(company: Company) {
    this.#company = company;
  }

  /** The time each joined, by identity; milliseconds of `performance.now()`. */
  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  /** Adds a participant, where it counts as company. */
  joined({ identity, kind }: Participant): void {
    if (isCompany(kind, this.#company)) this.#since.set(identity, performance.now());
  }

  /** Removes a participant. */
  left(identity: string): void {
    this.#since.delete(identity);
  }
}

/** The room to publish in, and its listeners. */
export interface PublishingRoom {
  /** The module `@livekit/rtc-node`. */
  readonly rtc: RtcNode;
  /** What is known about the room's identity. */
  readonly room: Room;
  /** The listeners of the track. */
  readonly listeners: Listeners;
}

interface Parts extends PublishingRoom {
  readonly source: AudioSource;
  readonly track: LocalAudioTrack;
  readonly publication: LocalTrackPublication;
}

/** A published audio track, written chunk by chunk. */
export class PublishedAudio {
  readonly #rtc: RtcNode;
  readonly #room: Room;
  readonly #listeners: Listeners;
  readonly #publishedMs = performance.now();
  readonly #source: AudioSource;
  readonly #publication: LocalTrackPublication;
  /** The SDK's track. */
  readonly track: LocalAudioTrack;
  #closed = false;
  /** Whether the first subscription was awaited. */
  #hasListener = false;
  /** The listeners that have had time to subscribe, with the time each joined. */
  #reached = new Map<string, number>();
  #lastMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<unknown> = Promise.resolve();
  #unplayed = false;

  private constructor({ rtc, room, listeners, source, track, publication }: Parts) {
    this.#rtc = rtc;
    this.#room = room;
    this.#listeners = listeners;
    this.#source = source;
    this.#publication = publication;
    this.track = track;
  }

  /**
   * Publishes a track.
   *
   * @param destination Its name; `undefined` for the default one, which is a microphone.
   * @throws {Error} LiveKit's reason; native resources are released.
   */
  static async publish(
    { rtc, room, listeners }: PublishingRoom,
    format: AudioFormat,
    destination: string | undefined,
  ): Promise<PublishedAudio> {
    const { SOURCE_MICROPHONE, SOURCE_UNKNOWN } = rtc.TrackSource;
    const source = new rtc.AudioSource(format.sampleRate, format.numChannels, queueMs);
    const track = rtc.LocalAudioTrack.createAudioTrack(destination ?? 'endframe-audio', source);
    const options = new rtc.TrackPublishOptions({
      source: destination === undefined ? SOURCE_MICROPHONE : SOURCE_UNKNOWN,
    });
    const publication = await publishTrack(room, track, options);
    return new PublishedAudio({ rtc, room, listeners, source, track, publication });
  }

  /** Whether it was published in this format. */
  hasFormat({ sampleRate, numChannels }: AudioFormat): boolean {
    return this.#source.sampleRate === sampleRate && this.#source.numChannels === numChannels;
  }

  /**
   * Writes a chunk; resolves when the SDK takes the next one, at most 200 ms ahead.
   *
   * The first chunk of a speech waits, for 1.5 s at most, until all listeners in the room have subscribed.
   *
   * @returns False when the track is closed.
   */
  async write({ audio, sampleRate, numChannels }: AudioChunk): Promise<boolean> {
    if (performance.now() - this.#lastMs > pauseMs && (await this.#waitForListeners())) {
      const lead = new Int16Array((sampleRate / 1_000) * leadMs * numChannels);
      await this.#capture({ audio: lead, sampleRate, numChannels });
    }
    await this.#capture({ audio: ownBuffer(audio), sampleRate, numChannels });
    this.#unplayed = true;
    this.#lastMs = performance.now();
    return !this.#closed;
  }

  /** Discards what was written and not played yet. */
  clear(): void {
    if (!this.#closed) this.#source.clearQueue();
  }

  /** Resolves when the last sample has been played, plus 200 ms for the network. */
  async waitForPlayout(): Promise<void> {
    if (this.#closed || !this.#unplayed) return;
    this.#unplayed = false;
    await this.#source.waitForPlayout();
    if (!this.#closed && this.#room.remoteParticipants.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, tailMs));
    }
  }

  /** Releases native resources without unpublishing; idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.track.close();
  }

  /** Unpublishes the track and releases native resources. */
  async unpublish(): Promise<void> {
    await unpublishTrack(this.#room, this.#publication);
    await this.close();
  }

  /** @returns Whether there is a new listener. */
  async #waitForListeners(): Promise<boolean> {
    const { remoteParticipants } = this.#room;
    if (remoteParticipants.size === 0) return false;
    const isFirst = !this.#hasListener;
    if (isFirst) await withTimeout(this.#publication.waitForSubscription(), firstListenerLimitMs);
    this.#hasListener = true;
    const since = new Map(this.#listeners.since);
    const newcomers = [...since].filter(([identity, ms]) => this.#reached.get(identity) !== ms);
    this.#reached = since;
    // with one participant in the room, the first subscription was theirs
    if (!isFirst || remoteParticipants.size > 1) {
      const lastMs = Math.max(this.#publishedMs, ...newcomers.map(([, ms]) => ms));
      const waitMs = newcomers.length === 0 ? 0 : lastMs + listenerTimeMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return isFirst || newcomers.length > 0;
  }

  async #capture({ audio, sampleRate, numChannels }: AudioChunk): Promise<void> {
    if (this.#closed) return;
    const frame = new this.#rtc.AudioFrame(audio, sampleRate, numChannels, audio.length / numChannels);
    const writing = this.#source.captureFrame(frame);
    this.#writing = writing.catch(() => {});
    await writing;
  }
}
