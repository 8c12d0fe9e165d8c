/** What happens in a LiveKit room, as transports emit it. Participants are named by their identity. */

import type { ParticipantKind } from '../../frames/participants.ts';

export type TrackKind = 'audio' | 'video';

/** As LiveKit rates it, every few seconds; `lost` where nothing comes through any more. */
export type ConnectionQuality = 'excellent' | 'good' | 'poor' | 'lost';

/** One event; `type` is the name that listeners use. */
export type LiveKitRoomEvent =
  /** The bot is in the room; `participantJoined` follows for everybody who was there before. */
  | { readonly type: 'connected' }
  /** The connection is interrupted; LiveKit's SDK reconnects. */
  | { readonly type: 'reconnecting' }
  | { readonly type: 'reconnected' }
  /** The bot has left by itself. */
  | { readonly type: 'left' }
  /**
   * The server has ended the connection, for good; LiveKit's reason, such as `ROOM_DELETED`. Or the room was
   * deleted while the bot was not reachable, and is another one now: `ROOM_REPLACED`.
   */
  | { readonly type: 'disconnected'; readonly reason: string }
  /**
   * Machines come and go too: see `kind`. LiveKit announces nobody who is hidden, and somebody who publishes nothing
   * up to 3 s late. `participantLeft` is not emitted for those who are only out of sight while the bot's connection
   * is interrupted.
   */
  | {
      readonly type: 'participantJoined' | 'participantLeft';
      readonly identity: string;
      readonly kind: ParticipantKind;
    }
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
  /** Also the bot's own. */
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
  | {
      readonly type: 'dtmfReceived';
      readonly digit: string;
      /** `undefined` where LiveKit does not say who pressed it. */
      readonly identity: string | undefined;
    };

/** Listeners for events of a union, by their `type`: each gets the event itself, where it holds more than that. */
export type EventListeners<Event extends { readonly type: string }> = {
  [E in Event as E['type']]: keyof E extends 'type' ? () => void : (event: E) => void;
};

/** `transport.on('participantLeft', ({ identity, kind }) => …)`; see {@link LiveKitRoomEvent}. */
export type LiveKitTransportEvents = EventListeners<LiveKitRoomEvent>;
