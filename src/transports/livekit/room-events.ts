/** What happens in a LiveKit room, as Observables. */

import { filter, fromEventPattern, map, merge, type Observable } from 'rxjs';
import { leaseAttribute } from '../../rooms/lease.ts';
import type { RemoteTrack, RemoteTrackPublication, Room, RtcNode } from './load-rtc-node.ts';
import { kindOfParticipant } from './participant-info.ts';
import type { ConnectionQuality, LiveKitRoomEvent, TrackKind } from './transport-events.ts';

/** Somebody else's tracks come and go, and so does what the bot receives of them. */
export type RoomTrackEvent =
  | { readonly type: 'published'; readonly publication: RemoteTrackPublication; readonly identity: string }
  | {
      readonly type: 'subscribed' | 'unsubscribed';
      readonly track: RemoteTrack;
      readonly publication: RemoteTrackPublication;
      readonly identity: string;
    };

/** The part of the SDK's participants that is needed here. */
interface Participant {
  readonly identity: string;
  readonly kind: number;
}

/** The part of its publications. */
interface Publication {
  readonly kind: number | undefined;
}

/** Everything the room tells from now on; never completes. */
export function roomEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  return merge(
    memberEvents(rtc, room),
    mediaEvents(rtc, room),
    messageEvents(rtc, room),
    connectionEvents(rtc, room),
  );
}

/** The tracks themselves, for those who read them. */
export function roomTracks({ RoomEvent }: RtcNode, room: Room): Observable<RoomTrackEvent> {
  type Subscribed = [RemoteTrack, RemoteTrackPublication, Participant];
  const subscriptions = (name: string, type: 'subscribed' | 'unsubscribed'): Observable<RoomTrackEvent> =>
    on<Subscribed>(room, name).pipe(
      map(([track, publication, { identity }]) => ({ type, track, publication, identity })),
    );
  return merge(
    on<[RemoteTrackPublication, Participant | undefined]>(room, RoomEvent.TrackPublished).pipe(
      map(([publication, owner]) => ({
        type: 'published' as const,
        publication,
        identity: owner?.identity ?? '',
      })),
    ),
    subscriptions(RoomEvent.TrackSubscribed, 'subscribed'),
    subscriptions(RoomEvent.TrackUnsubscribed, 'unsubscribed'),
  );
}

function memberEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  const { RoomEvent } = rtc;
  const members = (
    name: string,
    type: 'participantJoined' | 'participantLeft',
  ): Observable<LiveKitRoomEvent> =>
    on<Participant>(room, name).pipe(
      map(({ identity, kind }) => event({ type, identity, kind: kindOfParticipant(rtc, kind) })),
    );
  return merge(
    members(RoomEvent.ParticipantConnected, 'participantJoined'),
    members(RoomEvent.ParticipantDisconnected, 'participantLeft'),
    on<[Record<string, string>, Participant]>(room, RoomEvent.ParticipantAttributesChanged).pipe(
      map(([{ [leaseAttribute]: _, ...attributes }, { identity }]) => ({ identity, attributes })),
      // a lease is for sweepers, and beats
      filter(({ attributes }) => Object.keys(attributes).length > 0),
      map((change) => event({ type: 'attributesChanged', ...change })),
    ),
    on<[string | undefined, Participant]>(room, RoomEvent.ParticipantMetadataChanged).pipe(
      map(([metadata = '', { identity }]) => event({ type: 'metadataChanged', identity, metadata })),
    ),
    on<string>(room, RoomEvent.RoomMetadataChanged).pipe(
      map((metadata) => event({ type: 'roomMetadataChanged', metadata })),
    ),
  );
}

function mediaEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  const { RoomEvent } = rtc;
  type Subscribed = [unknown, Publication, Participant];
  const subscriptions = (
    name: string,
    type: 'trackSubscribed' | 'trackUnsubscribed',
  ): Observable<LiveKitRoomEvent> =>
    on<Subscribed>(room, name).pipe(
      map(([, publication, { identity }]) => event({ type, identity, kind: kindOf(rtc, publication) })),
    );
  const mutes = (name: string, type: 'trackMuted' | 'trackUnmuted'): Observable<LiveKitRoomEvent> =>
    on<[Publication, Participant]>(room, name).pipe(
      map(([publication, { identity }]) => event({ type, identity, kind: kindOf(rtc, publication) })),
    );
  return merge(
    subscriptions(RoomEvent.TrackSubscribed, 'trackSubscribed'),
    subscriptions(RoomEvent.TrackUnsubscribed, 'trackUnsubscribed'),
    mutes(RoomEvent.TrackMuted, 'trackMuted'),
    mutes(RoomEvent.TrackUnmuted, 'trackUnmuted'),
    on<Participant[]>(room, RoomEvent.ActiveSpeakersChanged).pipe(
      map((speakers) =>
        event({ type: 'activeSpeakersChanged', identities: speakers.map(({ identity }) => identity) }),
      ),
    ),
  );
}

function messageEvents({ RoomEvent }: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  return merge(
    on<[Uint8Array, Participant | undefined, unknown, string | undefined]>(room, RoomEvent.DataReceived).pipe(
      map(([data, sender, , topic]) =>
        event({ type: 'dataReceived', data, identity: sender?.identity, topic }),
      ),
    ),
    on<[number, string, Participant | undefined]>(room, RoomEvent.DtmfReceived).pipe(
      map(([, digit, sender]) => event({ type: 'dtmfReceived', digit, identity: sender?.identity })),
    ),
  );
}

function connectionEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  const { RoomEvent, DisconnectReason } = rtc;
  return merge(
    on<unknown>(room, RoomEvent.Reconnecting).pipe(map(() => event({ type: 'reconnecting' }))),
    on<unknown>(room, RoomEvent.Reconnected).pipe(map(() => event({ type: 'reconnected' }))),
    on<number>(room, RoomEvent.Disconnected).pipe(
      map((reason) => event({ type: 'disconnected', reason: DisconnectReason[reason] ?? 'UNKNOWN_REASON' })),
    ),
    on<[number, Participant]>(room, RoomEvent.ConnectionQualityChanged).pipe(
      map(([quality, { identity }]) =>
        event({ type: 'connectionQualityChanged', identity, quality: qualityOf(rtc, quality) }),
      ),
    ),
  );
}

export function kindOf({ TrackKind }: RtcNode, { kind }: Publication): TrackKind {
  return kind === TrackKind.KIND_VIDEO ? 'video' : 'audio';
}

function qualityOf({ ConnectionQuality }: RtcNode, quality: number): ConnectionQuality {
  const name = ConnectionQuality[quality]?.replace('QUALITY_', '').toLowerCase();
  return name === 'excellent' || name === 'good' || name === 'poor' ? name : 'lost';
}

function event(value: LiveKitRoomEvent): LiveKitRoomEvent {
  return value;
}

/** Emits the argument of an SDK event; an array where it has several. */
function on<T>(room: Room, name: string): Observable<T> {
  return fromEventPattern<T>(
    (handler) => room.on(name as 'connected', handler),
    (handler) => room.off(name as 'connected', handler),
  );
}
