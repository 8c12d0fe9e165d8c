/** The rooms and participants of a FakeLiveKitServer. */

import { randomBytes } from 'node:crypto';
import { SafeEventEmitter } from '../lib/emitter.ts';

/** The reason of a disconnect, as LiveKit sends it to clients. */
export type FakeDisconnectReason =
  | 'CLIENT_INITIATED'
  | 'DUPLICATE_IDENTITY'
  | 'SERVER_SHUTDOWN'
  | 'PARTICIPANT_REMOVED'
  | 'ROOM_DELETED';

/** Events of a {@link FakeParticipant}. */
export interface FakeParticipantEvents {
  /** Emitted once. */
  disconnected: (reason: FakeDisconnectReason) => void;
}

/** Options of {@link FakeParticipant}. */
export interface FakeParticipantOptions {
  /** LiveKit's kind. Default `'STANDARD'`. */
  readonly kind?: 'STANDARD' | 'SIP' | 'AGENT' | 'INGRESS' | 'EGRESS';
  /** Whether the token has the agent grant. Default false. */
  readonly agent?: boolean;
  /** Display name. Default empty. */
  readonly name?: string;
  /** Default empty. */
  readonly metadata?: string;
  /** Default none. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Options of {@link FakeRoom}. */
export interface FakeRoomOptions {
  /** Default: a random one. */
  readonly sid?: string;
  /** Milliseconds since 1970. Default now. */
  readonly creationTimeMs?: number;
  /** Default empty. */
  readonly metadata?: string;
  /** Seconds; stored and returned only. Default 300. */
  readonly emptyTimeout?: number;
  /** Seconds; stored and returned only. Default 20. */
  readonly departureTimeout?: number;
  /** Stored and returned only. Default 0, no limit. */
  readonly maxParticipants?: number;
}

/** A simulated participant; emits `disconnected` once, and resolves `disconnected` with the reason. */
export class FakeParticipant extends SafeEventEmitter<FakeParticipantEvents> {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** Random. */
  readonly sid: string = newSid('PA');
  /** The participant's kind. */
  readonly kind: NonNullable<FakeParticipantOptions['kind']>;
  /** Whether it joined with the agent grant. */
  readonly agent: boolean;
  /** Milliseconds since 1970. */
  readonly joinedAtMs: number;
  /** The display name. */
  name: string;
  /** The metadata; empty for none. */
  metadata: string;
  /** The attributes, by name. */
  attributes: Record<string, string>;
  /** `undefined` while in the room. */
  disconnectReason: FakeDisconnectReason | undefined;
  /** Resolves with the reason when it is disconnected; never rejects. */
  readonly disconnected: Promise<FakeDisconnectReason>;

  constructor(
    identity: string,
    joinedAtMs: number,
    {
      kind = 'STANDARD',
      agent = false,
      name = '',
      metadata = '',
      attributes = {},
    }: FakeParticipantOptions = {},
  ) {
    super();
    this.identity = identity;
    this.joinedAtMs = joinedAtMs;
    this.kind = kind;
    this.agent = agent;
    this.name = name;
    this.metadata = metadata;
    this.attributes = { ...attributes };
    this.disconnected = new Promise((resolve) => this.once('disconnected', resolve));
  }

  /** Leaves the room. */
  leave(): void {
    this.disconnect('CLIENT_INITIATED');
  }

  /** Disconnects it. Idempotent. */
  disconnect(reason: FakeDisconnectReason): void {
    if (this.disconnectReason !== undefined) return;
    this.disconnectReason = reason;
    this.emit('disconnected', reason);
  }
}

/** A room; exists until it is deleted, also when it is empty. */
export class FakeRoom {
  /** The name. */
  readonly name: string;
  /** The id of the room. */
  readonly sid: string;
  /** Milliseconds since 1970. */
  readonly creationTimeMs: number;
  /** Seconds. */
  readonly emptyTimeout: number;
  /** Seconds. */
  readonly departureTimeout: number;
  /** 0 for no limit. */
  readonly maxParticipants: number;
  /** Random; part of the JSON of a room. */
  readonly turnPassword: string = randomBytes(32).toString('base64url');
  /** The metadata; empty for none. */
  metadata: string;
  /** By identity. */
  readonly participants: Map<string, FakeParticipant> = new Map();

  constructor(
    name: string,
    {
      sid = newSid('RM'),
      creationTimeMs = Date.now(),
      metadata = '',
      emptyTimeout = 300,
      departureTimeout = 20,
      maxParticipants = 0,
    }: FakeRoomOptions = {},
  ) {
    this.name = name;
    this.sid = sid;
    this.creationTimeMs = creationTimeMs;
    this.metadata = metadata;
    this.emptyTimeout = emptyTimeout;
    this.departureTimeout = departureTimeout;
    this.maxParticipants = maxParticipants;
  }
}

/** All rooms, by name. */
export class FakeRooms {
  readonly #rooms = new Map<string, FakeRoom>();

  /** A room by name; `undefined` where it does not exist. */
  get(name: string): FakeRoom | undefined {
    return this.#rooms.get(name);
  }

  /** All rooms. */
  all(): FakeRoom[] {
    return [...this.#rooms.values()];
  }

  /** The existing room of that name, unchanged, or a new one. */
  create(name: string, options?: FakeRoomOptions): FakeRoom {
    const room = this.#rooms.get(name) ?? new FakeRoom(name, options);
    this.#rooms.set(name, room);
    return room;
  }

  /** False when there is no such room. */
  delete(name: string, reason: FakeDisconnectReason): boolean {
    const room = this.#rooms.get(name);
    this.#rooms.delete(name);
    for (const participant of [...(room?.participants.values() ?? [])]) participant.disconnect(reason);
    return room !== undefined;
  }

  /** Adds a participant. */
  join(room: FakeRoom, identity: string, atMs: number, options?: FakeParticipantOptions): FakeParticipant {
    room.participants.get(identity)?.disconnect('DUPLICATE_IDENTITY');
    const participant = new FakeParticipant(identity, atMs, options);
    room.participants.set(identity, participant);
    participant.once('disconnected', () => {
      if (room.participants.get(identity) === participant) room.participants.delete(identity);
    });
    return participant;
  }
}

function newSid(prefix: 'RM' | 'PA'): string {
  return `${prefix}_${randomBytes(9).toString('base64url')}`;
}
