/** Subscribes to other participants' tracks, and only to those that are used. */

import type { Observable, Subscription } from 'rxjs';
import type { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TrackSource } from '../transport-params.ts';
import {
  type AudioFormat,
  ParticipantAudio,
  type ParticipantImage,
  ParticipantVideo,
} from './participant-media.ts';
import { kindOf, type RoomTrackEvent, roomTracks } from './room-events.ts';
import type { RemoteTrack, RemoteTrackPublication, Room, RtcNode } from './rtc-node.ts';

/** A requested subscription whose track does not come within this time is cancelled, and requested again. */
const requestLimitMs = 5_000;
/** Between a cancelled request and the next: the server acts on neither if they arrive together. */
const requestPauseMs = 500;
const maxRequests = 6;

/** The bot's subscriptions in one room: tracks that are not used are not sent to it. */
export class TrackSubscriptions {
  readonly #logger: Logger;
  readonly #muted = new Set<string>();
  /** The timers of publications whose track is awaited. */
  readonly #awaited = new Map<RemoteTrackPublication, NodeJS.Timeout>();
  #audio: ParticipantAudio | undefined;
  #sources: readonly TrackSource[] = [];
  #video: ParticipantVideo | undefined;
  #rtc: RtcNode | undefined;
  #room: Room | undefined;
  #connected = false;
  #hasWarned = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Subscribes to audio tracks of these sources. A second call replaces the first. */
  subscribeAudio(format: AudioFormat, sources: readonly TrackSource[]): Observable<UserAudioRawFrame> {
    this.#sources = sources;
    this.#audio?.close();
    this.#audio = new ParticipantAudio(format, this.#logger);
    this.#updateAll();
    return this.#audio.audio$;
  }

  /**
   * Subscribes to all video tracks. A second call replaces the first.
   *
   * @param framerate Maximum images per second of each track.
   */
  subscribeVideo(framerate: number): Observable<ParticipantImage> {
    this.#video?.close();
    this.#video = new ParticipantVideo(framerate, this.#logger);
    this.#updateAll();
    return this.#video.image$;
  }

  /** The latest image of a participant; `undefined` where there is none. Default source: the camera. */
  latestImage(identity: string, source?: string): ParticipantImage | undefined {
    return this.#video?.latestImage(identity, source);
  }

  /** Unsubscribes from a participant's audio, including later tracks; or subscribes again. */
  mute(identity: string, muted: boolean): void {
    if (muted) this.#muted.add(identity);
    else this.#muted.delete(identity);
    if (!this.#connected) return;
    const { trackPublications } = this.#room?.remoteParticipants.get(identity) ?? {};
    // whatever the track's state: what was requested before may still be under way
    for (const publication of trackPublications?.values() ?? []) {
      this.#stopAwaiting(publication);
      if (this.#isWanted(publication, identity)) this.#request(publication, identity, 1);
      else publication.setSubscribed(false);
    }
  }

  /** Listens to the tracks of a room that is about to be joined. */
  attach(rtc: RtcNode, room: Room): Subscription {
    this.#rtc = rtc;
    this.#room = room;
    return roomTracks(rtc, room).subscribe((event) => this.#on(event));
  }

  /** The bot has joined or reconnected: subscribes to the tracks present. */
  connected(): void {
    this.#connected = true;
    this.#updateAll();
  }

  /** The connection is interrupted: requests would be lost until it is back. */
  disconnected(): void {
    this.#connected = false;
    this.#awaitNone();
  }

  /** Stops reading; the Observables complete. */
  close(): void {
    this.#connected = false;
    this.#awaitNone();
    this.#audio?.close();
    this.#video?.close();
  }

  #on(event: RoomTrackEvent): void {
    const { publication, identity } = event;
    if (event.type !== 'unsubscribed') {
      this.#update(publication, identity);
    } else {
      this.#audio?.stop(event.track);
      this.#video?.stop(event.track);
      // not at once: a track that its owner unpublishes is unsubscribed first
      if (this.#connected && this.#isWanted(publication, identity)) this.#await(publication, identity, 0);
    }
  }

  #updateAll(): void {
    for (const { identity, trackPublications } of this.#room?.remoteParticipants.values() ?? []) {
      for (const publication of trackPublications.values()) this.#update(publication, identity);
    }
  }

  /** Subscribes or unsubscribes; reads a track that is subscribed already. */
  #update(publication: RemoteTrackPublication, identity: string): void {
    if (!this.#connected) return;
    const track = publication.track as RemoteTrack | undefined;
    const wanted = this.#isWanted(publication, identity);
    const isRequested = track !== undefined || this.#awaited.has(publication);
    if (wanted && track === undefined) this.#request(publication, identity, 1);
    else this.#stopAwaiting(publication);
    if (wanted && track !== undefined) this.#read(track, publication, identity);
    else if (!wanted && isRequested) publication.setSubscribed(false);
  }

  /** The track may never come: a request, or its answer, can be lost while the connection changes. */
  #request(publication: RemoteTrackPublication, identity: string, requests: number): void {
    publication.setSubscribed(true);
    this.#await(publication, identity, requests);
  }

  #await(publication: RemoteTrackPublication, identity: string, requests: number): void {
    this.#after(requestLimitMs, publication, identity, () => {
      if (requests >= maxRequests) {
        this.#logger.warn({ identity, requests }, 'a track is not received: the server does not send it');
        return;
      }
      publication.setSubscribed(false);
      this.#after(requestPauseMs, publication, identity, () =>
        this.#request(publication, identity, requests + 1),
      );
    });
  }

  /** Unless the track has come, or has gone, or is not wanted any more. */
  #after(delayMs: number, publication: RemoteTrackPublication, identity: string, act: () => void): void {
    this.#stopAwaiting(publication);
    const timer = setTimeout(() => {
      this.#awaited.delete(publication);
      const published = this.#room?.remoteParticipants.get(identity)?.trackPublications;
      const isPublished = published?.get(publication.sid ?? '') === publication;
      if (isPublished && publication.track === undefined && this.#isWanted(publication, identity)) act();
    }, delayMs);
    timer.unref();
    this.#awaited.set(publication, timer);
  }

  #stopAwaiting(publication: RemoteTrackPublication): void {
    clearTimeout(this.#awaited.get(publication));
    this.#awaited.delete(publication);
  }

  #awaitNone(): void {
    for (const publication of [...this.#awaited.keys()]) this.#stopAwaiting(publication);
  }

  #isWanted(publication: RemoteTrackPublication, identity: string): boolean {
    if (this.#rtc === undefined) return false;
    if (kindOf(this.#rtc, publication) === 'video') return this.#video !== undefined;
    if (this.#audio === undefined || this.#muted.has(identity)) return false;
    const source = sourceOf(this.#rtc, publication);
    const isWanted = this.#sources.includes(source);
    if (!isWanted && source === 'unknown') this.#warn(identity);
    return isWanted;
  }

  /** Only for unknown sources: others are excluded on purpose, or a second track of a participant that is heard. */
  #warn(identity: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const hint = "publish it as a microphone, or add 'unknown' to params.audioInSources";
    this.#logger.warn({ identity, hint }, 'an audio track is not received: its source is unknown');
  }

  #read(track: RemoteTrack, publication: RemoteTrackPublication, identity: string): void {
    if (this.#rtc === undefined) return;
    const origin = { identity, source: sourceOf(this.#rtc, publication) };
    const reader = kindOf(this.#rtc, publication) === 'audio' ? this.#audio : this.#video;
    reader?.read(this.#rtc, track, origin);
  }
}

/** One name for the image and the audio of a screen share, which differ by kind. */
function sourceOf({ TrackSource }: RtcNode, { source }: RemoteTrackPublication): TrackSource {
  switch (source) {
    case TrackSource.SOURCE_MICROPHONE:
      return 'microphone';
    case TrackSource.SOURCE_CAMERA:
      return 'camera';
    case TrackSource.SOURCE_SCREENSHARE:
    case TrackSource.SOURCE_SCREENSHARE_AUDIO:
      return 'screen-share';
    default:
      return 'unknown';
  }
}
