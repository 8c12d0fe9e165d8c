import type { AudioChunk } from '../../frames/audio.ts';
import { withTimeout } from '../../lib/timeout.ts';
import type { Listeners } from './listeners.ts';
import type { AudioSource, LocalAudioTrack, LocalTrackPublication, Room, RtcNode } from './load-rtc-node.ts';
import type { AudioFormat } from './participant-audio.ts';
import { publishTrack, unpublishTrack } from './publish-track.ts';

/** How far ahead of the speaker the SDK is fed, in milliseconds: what a blocked event loop may cost. */
const queueMs = 200;
/** How long the first word waits for the first subscription, of which LiveKit tells. */
const firstListenerLimitMs = 1_000;
/**
 * How long a listener is given, from when they and the track are there, where LiveKit does not tell: of the second
 * subscription and all later ones. On loopback, on an overloaded machine, subscribing took 80 to 220 ms.
 */
const listenerTimeMs = 500;
/** After so long without a chunk the next one begins a speech. */
const pauseMs = 500;
/** Silence ahead of the first word: a listener who has just subscribed still loses up to 100 ms. */
const leadMs = 100;
/**
 * From the SDK's last sample to the listener's ear. Leaving right after the last sample cut 40 to 60 ms of it on
 * loopback, leaving 100 ms later nothing; the rest is for a network.
 */
const tailMs = 200;

/** Where a voice is published, and who is there to hear it. */
export interface VoiceRoom {
  readonly rtc: RtcNode;
  readonly room: Room;
  readonly listeners: Listeners;
}

interface Parts extends VoiceRoom {
  readonly source: AudioSource;
  readonly track: LocalAudioTrack;
  readonly publication: LocalTrackPublication;
}

/** A voice of the bot: a track of the room, fed with chunks. */
export class PublishedAudio {
  readonly #rtc: RtcNode;
  readonly #room: Room;
  readonly #listeners: Listeners;
  readonly #publishedMs = performance.now();
  readonly #source: AudioSource;
  readonly #publication: LocalTrackPublication;
  readonly track: LocalAudioTrack;
  #closed = false;
  /** Whether the first subscription was waited for. */
  #hasListener = false;
  /** Who can hear it by now, with the time at which they came. */
  #reached = new Map<string, number>();
  #lastMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<unknown> = Promise.resolve();
  #unheard = false;

  private constructor({ rtc, room, listeners, source, track, publication }: Parts) {
    this.#rtc = rtc;
    this.#room = room;
    this.#listeners = listeners;
    this.#source = source;
    this.#publication = publication;
    this.track = track;
  }

  /**
   * @param destination Names a further track; `undefined` is the bot's own voice.
   * @throws {Error} What LiveKit says why it was not published; nothing is left behind then.
   */
  static async publish(
    { rtc, room, listeners }: VoiceRoom,
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

  hasFormat({ sampleRate, numChannels }: AudioFormat): boolean {
    return this.#source.sampleRate === sampleRate && this.#source.numChannels === numChannels;
  }

  /**
   * Plays a chunk; resolves when the SDK wants the next one.
   *
   * The first chunk of a speech waits until all who are in the room can hear it, for 1.5 s at most.
   *
   * @returns False when the track is closed.
   */
  async write({ audio, sampleRate, numChannels }: AudioChunk): Promise<boolean> {
    if (performance.now() - this.#lastMs > pauseMs && (await this.#waitForListeners())) {
      const lead = new Int16Array((sampleRate / 1_000) * leadMs * numChannels);
      await this.#capture({ audio: lead, sampleRate, numChannels });
    }
    // the SDK reads from the beginning of the memory, wherever the samples are in it
    const samples = audio.byteLength === audio.buffer.byteLength ? audio : audio.slice();
    await this.#capture({ audio: samples, sampleRate, numChannels });
    this.#unheard = true;
    this.#lastMs = performance.now();
    return !this.#closed;
  }

  /** Forgets what was written and not played yet. */
  clear(): void {
    if (!this.#closed) this.#source.clearQueue();
  }

  /** Resolves when the last sample was heard, as far as anybody can tell. */
  async waitUntilHeard(): Promise<void> {
    if (this.#closed || !this.#unheard) return;
    this.#unheard = false;
    await this.#source.waitForPlayout();
    if (!this.#closed && this.#room.remoteParticipants.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, tailMs));
    }
  }

  /** Lets go of the native parts; nothing is sent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.track.close();
  }

  /** Takes the track out of the room. */
  async unpublish(): Promise<void> {
    await unpublishTrack(this.#room, this.#publication);
    await this.close();
  }

  /** @returns Whether there is somebody new who can hear it now. */
  async #waitForListeners(): Promise<boolean> {
    const { remoteParticipants } = this.#room;
    if (remoteParticipants.size === 0) return false;
    const isFirst = !this.#hasListener;
    if (isFirst) await withTimeout(this.#publication.waitForSubscription(), firstListenerLimitMs);
    this.#hasListener = true;
    const since = new Map(this.#listeners.since);
    const newcomers = [...since].filter(([identity, ms]) => this.#reached.get(identity) !== ms);
    this.#reached = since;
    // whoever is alone with the bot was the one to subscribe
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
