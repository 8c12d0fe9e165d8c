/** What happens in a LiveKit room, as Observables. Participants are named by their identity. */

import { filter, fromEventPattern, map, merge, type Observable } from 'rxjs';
import { leaseAttribute } from '../../rooms/lease.ts';
import type { RemoteTrack, RemoteTrackPublication, Room, RtcNode } from './load-rtc-node.ts';

export type TrackKind = 'audio' | 'video';

/** As LiveKit rates it, every few seconds; `lost` where nothing comes through any more. */
export type ConnectionQuality = 'excellent' | 'good' | 'poor' | 'lost';

/** Beside `type`, the properties stand in the order in which listeners of the transport's events get them. */
export type LiveKitRoomEvent =
  /** The bot is in the room; everybody who was there before is told of next, as having joined. */
  | { readonly type: 'connected' }
  /** The connection is interrupted, and LiveKit's SDK works at it. */
  | { readonly type: 'reconnecting' }
  | { readonly type: 'reconnected' }
  /** The bot has left by itself. */
  | { readonly type: 'left' }
  /**
   * The server has ended the connection, for good; LiveKit's reason, such as `ROOM_DELETED`. Or the room was
   * deleted while the bot was not reachable, and is another one now: `ROOM_REPLACED`.
   */
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'participantJoined' | 'participantLeft'; readonly identity: string }
  /** The bot begins to receive what a participant says or shows, or receives it no more. */
  | {
      readonly type: 'trackSubscribed' | 'trackUnsubscribed';
      readonly identity: string;
      readonly kind: TrackKind;
    }
  /** Somebody has muted their own track, or a moderator has; `identity` is the bot's own for its tracks. */
  | { readonly type: 'trackMuted' | 'trackUnmuted'; readonly identity: string; readonly kind: TrackKind }
  /** Only those that changed; removed ones are empty. Also the bot's own. */
  | {
      readonly type: 'attributesChanged';
      readonly identity: string;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'metadataChanged'; readonly identity: string; readonly metadata: string }
  | { readonly type: 'roomMetadataChanged'; readonly metadata: string }
  | {
      readonly type: 'connectionQualityChanged';
      readonly identity: string;
      readonly quality: ConnectionQuality;
    }
  /** Who speaks now, the loudest first; may include the bot. */
  | { readonly type: 'activeSpeakersChanged'; readonly identities: readonly string[] }
  | {
      readonly type: 'dataReceived';
      readonly data: Uint8Array;
      /** `undefined` for what a server sent. */
      readonly identity: string | undefined;
      readonly topic: string | undefined;
    }
  /** A key of a telephone, as it came: some have keys beyond 0 to 9, * and #. */
  | { readonly type: 'dtmfReceived'; readonly digit: string; readonly identity: string };

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

function memberEvents({ RoomEvent }: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  return merge(
    on<Participant>(room, RoomEvent.ParticipantConnected).pipe(
      map(({ identity }) => event({ type: 'participantJoined', identity })),
    ),
    on<Participant>(room, RoomEvent.ParticipantDisconnected).pipe(
      map(({ identity }) => event({ type: 'participantLeft', identity })),
    ),
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
      map(([, digit, sender]) => event({ type: 'dtmfReceived', digit, identity: sender?.identity ?? '' })),
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
