/** The events of a LiveKit room: their types, and the Observables that emit them. Participants are named by identity. */

import { filter, fromEventPattern, map, merge, type Observable } from 'rxjs';
import type { ParticipantKind } from '../../frames/participants.ts';
import { leaseAttribute } from '../../rooms/lease.ts';
import type { RemoteParticipant, RemoteTrack, RemoteTrackPublication, Room, RtcNode } from './rtc-node.ts';

/** The kind of a track's media. */
export type TrackKind = 'audio' | 'video';

/** As LiveKit rates it, every few seconds; `lost` where nothing arrives any more. */
export type ConnectionQuality = 'excellent' | 'good' | 'poor' | 'lost';

/** A room event; `type` is the name for `on()`. */
export type LiveKitRoomEvent =
  /** The bot is in the room; `participantJoined` follows for each participant present. */
  | { readonly type: 'connected' }
  /** The connection is interrupted; LiveKit's SDK reconnects. */
  | { readonly type: 'reconnecting' }
  /** The connection is back. */
  | { readonly type: 'reconnected' }
  /** The bot has left on its own. */
  | { readonly type: 'left' }
  /**
   * The server has ended the connection, for good; LiveKit's reason, such as `ROOM_DELETED`. Or `ROOM_REPLACED`: the
   * room was deleted while the connection was interrupted, and is another one now.
   */
  | { readonly type: 'disconnected'; readonly reason: string }
  /**
   * Machines join and leave too: see `kind`. LiveKit announces no hidden participants, and those that publish nothing
   * up to 3 s late. `participantLeft` is debounced: not emitted for participants that are missing only while the
   * bot's connection is interrupted.
   */
  | {
      readonly type: 'participantJoined' | 'participantLeft';
      readonly identity: string;
      readonly kind: ParticipantKind;
    }
  /** The bot starts or stops receiving a participant's track. */
  | {
      readonly type: 'trackSubscribed' | 'trackUnsubscribed';
      readonly identity: string;
      readonly kind: TrackKind;
    }
  /** A track was muted or unmuted, by its owner or a moderator; `identity` is the bot's own for its tracks. */
  | { readonly type: 'trackMuted' | 'trackUnmuted'; readonly identity: string; readonly kind: TrackKind }
  /** Only the attributes that changed; removed ones are empty. Also the bot's own. */
  | {
      readonly type: 'attributesChanged';
      readonly identity: string;
      readonly attributes: Readonly<Record<string, string>>;
    }
  /** A participant's metadata changed. */
  | { readonly type: 'metadataChanged'; readonly identity: string; readonly metadata: string }
  /** The room's metadata changed. */
  | { readonly type: 'roomMetadataChanged'; readonly metadata: string }
  /** Also the bot's own. */
  | {
      readonly type: 'connectionQualityChanged';
      readonly identity: string;
      readonly quality: ConnectionQuality;
    }
  /** The participants speaking now, the loudest first; may include the bot. */
  | { readonly type: 'activeSpeakersChanged'; readonly identities: readonly string[] }
  /** A data packet arrived. */
  | {
      readonly type: 'dataReceived';
      readonly data: Uint8Array;
      /** `undefined` for packets of a server. */
      readonly identity: string | undefined;
      readonly topic: string | undefined;
    }
  /** A DTMF key, unchanged: some phones have more than 0 to 9, * and #. */
  | {
      readonly type: 'dtmfReceived';
      readonly digit: string;
      /** `undefined` where LiveKit names no sender. */
      readonly identity: string | undefined;
    };

/** The event map of a union, by `type`: a listener gets the event itself, or nothing where `type` is all it holds. */
export type EventListeners<Event extends { readonly type: string }> = {
  [E in Event as E['type']]: keyof E extends 'type' ? () => void : (event: E) => void;
};

/** `transport.on('participantLeft', ({ identity, kind }) => …)`; see {@link LiveKitRoomEvent}. */
export type LiveKitTransportEvents = EventListeners<LiveKitRoomEvent>;

/** The current state of a participant. */
export interface ParticipantInfo {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** Display name; may be empty. */
  readonly name: string;
  /** The metadata; empty for none. */
  readonly metadata: string;
  /** The attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The participant's kind. */
  readonly kind: ParticipantKind;
}

/** Copies what the SDK holds of a participant. */
export function participantInfo(
  rtc: RtcNode,
  { identity, name = '', metadata, attributes, kind }: RemoteParticipant,
): ParticipantInfo {
  return { identity, name, metadata, attributes: { ...attributes }, kind: kindOfParticipant(rtc, kind) };
}

/** Kinds that are unknown to the SDK count as people. */
function kindOfParticipant({ ParticipantKind }: RtcNode, kind: number): ParticipantKind {
  return ParticipantKind[kind]?.toLowerCase() ?? 'standard';
}

/** Publications and subscriptions of other participants' tracks. */
export type RoomTrackEvent =
  | { readonly type: 'published'; readonly publication: RemoteTrackPublication; readonly identity: string }
  | {
      readonly type: 'subscribed' | 'unsubscribed';
      readonly track: RemoteTrack;
      readonly publication: RemoteTrackPublication;
      readonly identity: string;
    };

/** The part of the SDK's participants that is used. */
interface Participant {
  readonly identity: string;
  readonly kind: number;
}

/** The part of the SDK's publications that is used. */
interface Publication {
  readonly kind: number | undefined;
}

/** Emits the room's events, from the subscription on; never completes. */
export function roomEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  return merge(
    memberEvents(rtc, room),
    mediaEvents(rtc, room),
    messageEvents(rtc, room),
    connectionEvents(rtc, room),
  );
}

/** Emits the tracks themselves, from the subscription on; never completes. */
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
      // the lease is for sweepers, and changes every few seconds
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

/** The kind of a publication; audio where the SDK does not know it. */
export function kindOf({ TrackKind }: RtcNode, { kind }: Publication): TrackKind {
  return kind === TrackKind.KIND_VIDEO ? 'video' : 'audio';
}

function qualityOf({ ConnectionQuality }: RtcNode, quality: number): ConnectionQuality {
  const name = ConnectionQuality[quality]?.replace('QUALITY_', '').toLowerCase();
  return name === 'excellent' || name === 'good' || name === 'poor' ? name : 'lost';
}

/** Type-checks an event literal. */
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
