/** The REST calls that deleting rooms needs, as an interface. */

/** Options of one call. */
export interface RestCallOptions {
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A room as LiveKit lists it; its TURN password is left out on purpose. */
export interface ListedRoom {
  /** The name. */
  readonly name: string;
  /** New for each room of the same name, with rare exceptions in the server. */
  readonly sid: string;
  /** Milliseconds since 1970, by the server's clock; whole seconds on older servers. */
  readonly creationTimeMs: number;
  /** The metadata; empty for none. */
  readonly metadata: string;
}

/** A participant as LiveKit lists it. */
export interface ListedParticipant {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** LiveKit's id of the participant in this session. */
  readonly sid: string;
  /** `JOINING`, `JOINED`, `ACTIVE` or `DISCONNECTED`. */
  readonly state: string;
  /** `STANDARD`, `INGRESS`, `EGRESS`, `SIP`, `AGENT`, or a later one. */
  readonly kind: string;
  /** Joined with the agent grant, or as kind `AGENT`. */
  readonly isAgent: boolean;
  /** Records the room only. */
  readonly isRecorder: boolean;
  /** The attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, by the server's clock; whole seconds on older servers. */
  readonly joinedAtMs?: number | undefined;
}

/**
 * One attempt of each call, without retries.
 *
 * Only the deletion is required; `LiveKitRESTHelper` has everything.
 */
export interface RoomRest {
  /** Resolves only when LiveKit has confirmed the deletion; rejects otherwise, also for a room that is not there. */
  deleteRoomByName(roomName: string, options?: RestCallOptions): Promise<true>;
  /** Makes the first deletion fast and proves the credentials. */
  warmUp?(options?: RestCallOptions): Promise<void>;
  /** Those of `names` that exist; all rooms for an empty list. */
  listRooms?(names: readonly string[], options?: RestCallOptions): Promise<readonly ListedRoom[]>;
  /** Creates a room, or resolves with the one of that name that is already there. */
  createRoom?(roomName: string, options?: RestCallOptions): Promise<ListedRoom>;
  /** The participants in a room. */
  listParticipants?(roomName: string, options?: RestCallOptions): Promise<readonly ListedParticipant[]>;
}
