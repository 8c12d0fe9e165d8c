import type { Observable, Subscription } from 'rxjs';
import type { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TrackSource } from '../transport-params.ts';
import type { RemoteTrack, RemoteTrackPublication, Room, RtcNode } from './load-rtc-node.ts';
import { type AudioFormat, ParticipantAudio } from './participant-audio.ts';
import { type ParticipantImage, ParticipantVideo } from './participant-video.ts';
import { kindOf, type RoomTrackEvent, roomTracks } from './room-events.ts';
import { sourceOf } from './track-origin.ts';

/**
 * What the bot receives of the others. Only what somebody hears or looks at is subscribed to: what is not wanted
 * is not sent.
 */
export class Reception {
  readonly #logger: Logger;
  readonly #muted = new Set<string>();
  #ears: ParticipantAudio | undefined;
  #sources: readonly TrackSource[] = [];
  #eyes: ParticipantVideo | undefined;
  #rtc: RtcNode | undefined;
  #room: Room | undefined;
  #connected = false;
  #hasWarned = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Hears tracks of these sources at this format from now on. A second call replaces the first. */
  hear(format: AudioFormat, sources: readonly TrackSource[]): Observable<UserAudioRawFrame> {
    this.#sources = sources;
    this.#ears?.close();
    this.#ears = new ParticipantAudio(format, this.#logger);
    this.#receiveAll();
    return this.#ears.audio$;
  }

  /** Sees everybody from now on, in so many pictures of each track in a second, at most. */
  see(perSecond: number): Observable<ParticipantImage> {
    this.#eyes?.close();
    this.#eyes = new ParticipantVideo(perSecond, this.#logger);
    this.#receiveAll();
    return this.#eyes.image$;
  }

  /** The newest picture of somebody, if they are seen; of the camera where nothing else is asked for. */
  look(identity: string, source?: string): ParticipantImage | undefined {
    return this.#eyes?.look(identity, source);
  }

  /** Hears somebody no more, also when they publish again; or hears them again. */
  mute(identity: string, muted: boolean): void {
    if (muted) this.#muted.add(identity);
    else this.#muted.delete(identity);
    if (!this.#connected) return;
    const { trackPublications } = this.#room?.remoteParticipants.get(identity) ?? {};
    for (const publication of trackPublications?.values() ?? []) {
      publication.setSubscribed(this.#isWanted(publication, identity));
    }
  }

  /** Watches what comes and goes in a room that is about to be joined. */
  attach(rtc: RtcNode, room: Room): Subscription {
    this.#rtc = rtc;
    this.#room = room;
    return roomTracks(rtc, room).subscribe((event) => this.#on(event));
  }

  /** The bot is in the room, for the first time or again: receives what is there already. */
  joined(): void {
    this.#connected = true;
    this.#receiveAll();
  }

  /** The connection is away: what is asked for now would be lost. */
  interrupted(): void {
    this.#connected = false;
  }

  close(): void {
    this.#ears?.close();
    this.#eyes?.close();
  }

  #on(event: RoomTrackEvent): void {
    const { publication, identity } = event;
    if (event.type !== 'unsubscribed') {
      this.#receive(publication, identity);
    } else {
      this.#ears?.stop(event.track);
      this.#eyes?.stop(event.track);
    }
  }

  #receiveAll(): void {
    for (const { identity, trackPublications } of this.#room?.remoteParticipants.values() ?? []) {
      for (const publication of trackPublications.values()) this.#receive(publication, identity);
    }
  }

  /** Has it sent, or reads it; or has it sent no more. */
  #receive(publication: RemoteTrackPublication, identity: string): void {
    if (!this.#connected) return;
    const track = publication.track as RemoteTrack | undefined;
    const wanted = this.#isWanted(publication, identity);
    if (wanted !== (track !== undefined)) publication.setSubscribed(wanted);
    else if (track !== undefined) this.#open(track, publication, identity);
  }

  #isWanted(publication: RemoteTrackPublication, identity: string): boolean {
    if (this.#rtc === undefined) return false;
    if (kindOf(this.#rtc, publication) === 'video') return this.#eyes !== undefined;
    if (this.#ears === undefined || this.#muted.has(identity)) return false;
    const source = sourceOf(this.#rtc, publication);
    const isWanted = this.#sources.includes(source);
    if (!isWanted && source === 'unknown') this.#warn(identity);
    return isWanted;
  }

  /** Others do not mean to be heard, or are a second sound of somebody who is. */
  #warn(identity: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const hint = "publish it as a microphone, or add 'unknown' to params.audioInSources";
    this.#logger.warn(
      { identity, hint },
      'a participant is not heard: their track does not say what it is of',
    );
  }

  #open(track: RemoteTrack, publication: RemoteTrackPublication, identity: string): void {
    if (this.#rtc === undefined) return;
    const origin = { identity, source: sourceOf(this.#rtc, publication) };
    if (kindOf(this.#rtc, publication) === 'audio') this.#ears?.listen(this.#rtc, track, origin);
    else this.#eyes?.watch(this.#rtc, track, origin);
  }
}
