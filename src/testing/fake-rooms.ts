/** The rooms of a FakeLiveKitServer, and who is in them. */

import { randomBytes } from 'node:crypto';
import { SafeEventEmitter } from '../lib/emitter.ts';

/** Why a participant is out, as clients are told. */
export type FakeDisconnectReason =
  | 'CLIENT_INITIATED'
  | 'DUPLICATE_IDENTITY'
  | 'SERVER_SHUTDOWN'
  | 'PARTICIPANT_REMOVED'
  | 'ROOM_DELETED';

export interface FakeParticipantEvents {
  disconnected: (reason: FakeDisconnectReason) => void;
}

export interface FakeParticipantOptions {
  /** Default `'STANDARD'`. */
  readonly kind?: 'STANDARD' | 'SIP' | 'AGENT' | 'INGRESS' | 'EGRESS';
  /** As with the agent grant of a token. Default false. */
  readonly agent?: boolean;
  readonly name?: string;
  readonly metadata?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface FakeRoomOptions {
  readonly sid?: string;
  /** Milliseconds since 1970. Default now. */
  readonly creationTimeMs?: number;
  readonly metadata?: string;
  /** Seconds; kept and told, never acted upon. */
  readonly emptyTimeout?: number;
  readonly departureTimeout?: number;
  readonly maxParticipants?: number;
}

/** Somebody simulated in a room; emits `disconnected` once, and settles `disconnected` with the reason. */
export class FakeParticipant extends SafeEventEmitter<FakeParticipantEvents> {
  readonly identity: string;
  readonly sid: string = newSid('PA');
  readonly kind: NonNullable<FakeParticipantOptions['kind']>;
  readonly agent: boolean;
  readonly joinedAtMs: number;
  name: string;
  metadata: string;
  attributes: Record<string, string>;
  /** `undefined` while inside. */
  disconnectReason: FakeDisconnectReason | undefined;
  /** Resolves with the reason when it is out; never rejects. */
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

  /** Hangs up. */
  leave(): void {
    this.disconnect('CLIENT_INITIATED');
  }

  /** Throws it out; does nothing the second time. */
  disconnect(reason: FakeDisconnectReason): void {
    if (this.disconnectReason !== undefined) return;
    this.disconnectReason = reason;
    this.emit('disconnected', reason);
  }
}

/** A room that exists until it is deleted: nothing closes it because it is empty. */
export class FakeRoom {
  readonly name: string;
  readonly sid: string;
  readonly creationTimeMs: number;
  readonly emptyTimeout: number;
  readonly departureTimeout: number;
  readonly maxParticipants: number;
  readonly turnPassword: string = randomBytes(32).toString('base64url');
  metadata: string;
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

  get(name: string): FakeRoom | undefined {
    return this.#rooms.get(name);
  }

  all(): FakeRoom[] {
    return [...this.#rooms.values()];
  }

  /** The room of that name: the one there is, unchanged, or a new one. */
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
