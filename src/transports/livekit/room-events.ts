/** What happens in a LiveKit room, as one Observable. */

import { fromEventPattern, map, merge, type Observable } from 'rxjs';
import type { RemoteTrack, Room, RtcNode } from './load-rtc-node.ts';

export type LiveKitRoomEvent =
  | { readonly type: 'participantJoined' | 'participantLeft'; readonly identity: string }
  | {
      readonly type: 'trackSubscribed' | 'trackUnsubscribed';
      readonly identity: string;
      readonly track: RemoteTrack;
    }
  | {
      readonly type: 'dataReceived';
      readonly data: Uint8Array;
      /** `undefined` for what a server sent. */
      readonly identity: string | undefined;
      readonly topic: string | undefined;
    }
  | { readonly type: 'dtmfReceived'; readonly digit: string; readonly identity: string }
  | { readonly type: 'connected' | 'reconnecting' | 'reconnected' }
  /** The bot has left by itself. */
  | { readonly type: 'left' }
  /** The server has ended the connection, for good: the SDK does not try again. */
  | { readonly type: 'disconnected'; readonly reason: string };

/** The part of the SDK's participants that is needed here. */
interface Participant {
  readonly identity: string;
}

/** Everything the room tells from now on; never completes. */
export function roomEvents(rtc: RtcNode, room: Room): Observable<LiveKitRoomEvent> {
  const { RoomEvent, DisconnectReason } = rtc;
  return merge(
    on<Participant>(room, RoomEvent.ParticipantConnected).pipe(
      map(({ identity }) => event({ type: 'participantJoined', identity })),
    ),
    on<Participant>(room, RoomEvent.ParticipantDisconnected).pipe(
      map(({ identity }) => event({ type: 'participantLeft', identity })),
    ),
    on<[RemoteTrack, unknown, Participant]>(room, RoomEvent.TrackSubscribed).pipe(
      map(([track, , { identity }]) => event({ type: 'trackSubscribed', identity, track })),
    ),
    on<[RemoteTrack, unknown, Participant]>(room, RoomEvent.TrackUnsubscribed).pipe(
      map(([track, , { identity }]) => event({ type: 'trackUnsubscribed', identity, track })),
    ),
    on<[Uint8Array, Participant | undefined, unknown, string | undefined]>(room, RoomEvent.DataReceived).pipe(
      map(([data, sender, , topic]) =>
        event({ type: 'dataReceived', data, identity: sender?.identity, topic }),
      ),
    ),
    on<[number, string, Participant]>(room, RoomEvent.DtmfReceived).pipe(
      map(([, digit, { identity }]) => event({ type: 'dtmfReceived', digit, identity })),
    ),
    on<unknown>(room, RoomEvent.Reconnecting).pipe(map(() => event({ type: 'reconnecting' }))),
    on<unknown>(room, RoomEvent.Reconnected).pipe(map(() => event({ type: 'reconnected' }))),
    on<number>(room, RoomEvent.Disconnected).pipe(
      map((reason) => event({ type: 'disconnected', reason: DisconnectReason[reason] ?? 'UNKNOWN_REASON' })),
    ),
  );
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
