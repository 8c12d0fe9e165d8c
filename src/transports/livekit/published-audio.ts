import type { AudioChunk } from '../../frames/audio.ts';
import { within } from '../../within.ts';
import type { AudioSource, LocalAudioTrack, LocalTrackPublication, Room, RtcNode } from './load-rtc-node.ts';
import type { AudioFormat } from './participant-audio.ts';

/** How far ahead of the speaker the SDK is fed, in milliseconds: what a blocked event loop may cost. */
const queueMs = 200;
/** How long publishing may take: the SDK hears nothing when the token does not allow it. */
const publishLimitMs = 5_000;
/** How long the first word waits for somebody who is in the room and does not listen yet. */
const listenerLimitMs = 1_000;
/** Silence ahead of the first word: a listener who has just subscribed still loses up to 100 ms. */
const leadMs = 100;
/**
 * From the SDK's last sample to the listener's ear. Leaving right after the last sample cut 40 to 60 ms of it on
 * loopback, leaving 100 ms later nothing; the rest is for a network.
 */
const tailMs = 200;

/** Another attempt would wait for this one: the SDK publishes one track after the other. */
export class NotPublishedInTime extends Error {
  constructor() {
    super(
      `The bot's track was not published within ${publishLimitMs} ms; does its token allow it to publish?`,
    );
  }
}

/** The bot's voice: a track of the room, fed with chunks. */
export class PublishedAudio {
  readonly #rtc: RtcNode;
  readonly #room: Room;
  readonly #source: AudioSource;
  readonly #track: LocalAudioTrack;
  readonly #publication: LocalTrackPublication;
  #closed = false;
  #listenedTo = false;
  #writing: Promise<unknown> = Promise.resolve();
  #unheard = false;

  private constructor(
    rtc: RtcNode,
    room: Room,
    source: AudioSource,
    track: LocalAudioTrack,
    publication: LocalTrackPublication,
  ) {
    this.#rtc = rtc;
    this.#room = room;
    this.#source = source;
    this.#track = track;
    this.#publication = publication;
  }

  /** @throws {Error} What LiveKit says why it was not published; nothing is left behind then. */
  static async publish(rtc: RtcNode, room: Room, format: AudioFormat): Promise<PublishedAudio> {
    const source = new rtc.AudioSource(format.sampleRate, format.numChannels, queueMs);
    const track = rtc.LocalAudioTrack.createAudioTrack('endframe-audio', source);
    const options = new rtc.TrackPublishOptions({ source: rtc.TrackSource.SOURCE_MICROPHONE });
    try {
      if (room.localParticipant === undefined) throw new Error('the room was left');
      const publishing = room.localParticipant.publishTrack(track, options);
      if ((await within(publishing, publishLimitMs)) === 'late') throw new NotPublishedInTime();
      const publication = await publishing;
      return new PublishedAudio(rtc, room, source, track, publication);
    } catch (error) {
      await track.close();
      throw error;
    }
  }

  hasFormat({ sampleRate, numChannels }: AudioFormat): boolean {
    return this.#source.sampleRate === sampleRate && this.#source.numChannels === numChannels;
  }

  /**
   * Plays a chunk; resolves when the SDK wants the next one.
   *
   * The first chunk waits until it can be heard, where somebody is in the room: subscribing takes 50 to 150 ms.
   *
   * @returns False when the track is closed.
   */
  async write({ audio, sampleRate, numChannels }: AudioChunk): Promise<boolean> {
    if (!this.#listenedTo && this.#room.remoteParticipants.size > 0) {
      await within(this.#publication.waitForSubscription(), listenerLimitMs);
      this.#listenedTo = true;
      const lead = new Int16Array((sampleRate / 1_000) * leadMs * numChannels);
      await this.#capture({ audio: lead, sampleRate, numChannels });
    }
    // the SDK reads from the beginning of the memory, wherever the samples are in it
    const samples = audio.byteLength === audio.buffer.byteLength ? audio : audio.slice();
    await this.#capture({ audio: samples, sampleRate, numChannels });
    this.#unheard = true;
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
    if (!this.#closed && (this.#listenedTo || this.#room.remoteParticipants.size > 0)) {
      await new Promise((resolve) => setTimeout(resolve, tailMs));
    }
  }

  /** Lets go of the native parts; nothing is sent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#track.close();
  }

  /** Takes the track out of the room. */
  async unpublish(): Promise<void> {
    const { sid } = this.#publication;
    if (sid !== undefined) await this.#room.localParticipant?.unpublishTrack(sid);
    await this.close();
  }

  async #capture({ audio, sampleRate, numChannels }: AudioChunk): Promise<void> {
    if (this.#closed) return;
    const frame = new this.#rtc.AudioFrame(audio, sampleRate, numChannels, audio.length / numChannels);
    const writing = this.#source.captureFrame(frame);
    this.#writing = writing.catch(() => {});
    await writing;
  }
}
