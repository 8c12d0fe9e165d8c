import type { ConnectionQuality, LiveKitRoomEvent, TrackKind } from './room-events.ts';

/** What a transport tells of its room; see {@link LiveKitRoomEvent}. Participants are named by their identity. */
export interface LiveKitTransportEvents {
  /** The bot is in the room; everybody who was there before is told of next, as having joined. */
  connected: () => void;
  /**
   * The server has ended the connection, for good; LiveKit's reason, such as `ROOM_DELETED`. Or the room was
   * deleted while the bot was not reachable, and is another one now: `ROOM_REPLACED`.
   */
  disconnected: (reason: string) => void;
  /** The bot has left by itself. */
  left: () => void;
  participantJoined: (identity: string) => void;
  /** Not told of those who are only out of sight while the bot's connection is away. */
  participantLeft: (identity: string) => void;
  /** The bot begins to receive what a participant says or shows. */
  trackSubscribed: (identity: string, kind: TrackKind) => void;
  trackUnsubscribed: (identity: string, kind: TrackKind) => void;
  /** Somebody has muted their own track, or a moderator has; also the bot's. */
  trackMuted: (identity: string, kind: TrackKind) => void;
  trackUnmuted: (identity: string, kind: TrackKind) => void;
  /** Only those that changed; removed ones are empty. Also the bot's own. */
  attributesChanged: (identity: string, attributes: Readonly<Record<string, string>>) => void;
  metadataChanged: (identity: string, metadata: string) => void;
  roomMetadataChanged: (metadata: string) => void;
  /** Also the bot's own. */
  connectionQualityChanged: (identity: string, quality: ConnectionQuality) => void;
  /** Who speaks now, the loudest first; may include the bot. */
  activeSpeakersChanged: (identities: readonly string[]) => void;
  dataReceived: (data: Uint8Array, identity: string | undefined, topic: string | undefined) => void;
  /** A key of a telephone, as it came: some have keys beyond 0 to 9, * and #. */
  dtmfReceived: (digit: string, identity: string) => void;
  reconnecting: () => void;
  reconnected: () => void;
}

/** The arguments of the event of the same name. */
export function argumentsOf({ type: _, ...facts }: LiveKitRoomEvent): never {
  return Object.values(facts) as never;
}
