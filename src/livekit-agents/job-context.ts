/** Structural types of `@livekit/agents`, 1.4.3 and later, and of its room; nothing of it is imported. */

import { fromEventPattern, type Observable } from 'rxjs';

/** Part of rtc-node's `RemoteParticipant`. */
export interface JobParticipant {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** Details; `kind` is LiveKit's number for the participant's kind. */
  readonly info?: { readonly kind?: number | undefined } | undefined;
}

/** Part of rtc-node's `Room`. */
export interface JobRoom {
  /** Empty or `undefined` until connected. */
  readonly name?: string | undefined;
  /** The other participants, by identity. */
  readonly remoteParticipants?: ReadonlyMap<string, JobParticipant> | undefined;
  /** The bot; `undefined` until connected. */
  readonly localParticipant?: { readonly sid?: string | undefined } | undefined;
  /** Adds a listener. */
  on(event: 'disconnected' | 'connectionStateChanged', listener: (code: number) => void): unknown;
  /** Adds a listener. */
  on(
    event: 'participantConnected' | 'participantDisconnected',
    listener: (participant: JobParticipant) => void,
  ): unknown;
  /** Removes a listener. */
  off(event: 'disconnected' | 'connectionStateChanged', listener: (code: number) => void): unknown;
  /** Removes a listener. */
  off(
    event: 'participantConnected' | 'participantDisconnected',
    listener: (participant: JobParticipant) => void,
  ): unknown;
}

/** Part of `JobContext`. */
export interface AgentJobContext {
  /** The worker's server and credentials, and whether the job is a console session. */
  readonly info: {
    readonly url: string;
    /** The worker's; may be missing or empty. */
    readonly apiKey?: string | undefined;
    readonly apiSecret?: string | undefined;
    readonly fakeJob?: boolean | undefined;
    readonly acceptArguments?: { readonly identity: string } | undefined;
  };
  /** The assigned job. */
  readonly job: { readonly room?: { readonly name: string; readonly sid?: string } | undefined };
  /** The room that the job joins. */
  readonly room: JobRoom;
  /** True in console mode, where there is no room. */
  readonly isFakeJob?: boolean | undefined;
  /** Called when the bot has left the room; all callbacks run concurrently. */
  addShutdownCallback(callback: () => Promise<void>): void;
  /** Starts the shutdown of the job; returns at once. */
  shutdown(reason?: string): void;
}

/** Part of `CloseEvent`. */
export interface SessionCloseEvent {
  /** `error`, `job_shutdown`, `participant_disconnected`, `user_initiated`, or what `shutdown()` was given. */
  readonly reason: string;
  /** The session's error, where `reason` is `error`. */
  readonly error?: unknown;
}

/** Part of `voice.AgentSession`; its events are named by an enum that literals do not fit. */
export interface AgentSessionEvents {
  /** Adds a listener. */
  on(event: string, listener: (event: SessionCloseEvent) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (event: SessionCloseEvent) => void): unknown;
}

/** rtc-node's `ConnectionState.CONN_CONNECTED`. */
export const connectedState = 1;

/** rtc-node's `DisconnectReason.DUPLICATE_IDENTITY`. */
export const duplicateIdentityReason = 2;

/** rtc-node's `DisconnectReason.ROOM_DELETED`. */
export const roomDeletedReason = 5;

/** rtc-node's `ParticipantKind` of machines: INGRESS, EGRESS, AGENT, BRIDGE. */
const machineKinds: readonly (number | undefined)[] = [1, 2, 4, 6];

/** True for people, by browser, app or phone. */
export function isPerson({ info }: JobParticipant): boolean {
  return !machineKinds.includes(info?.kind);
}

/** A room event as an Observable of its argument. */
export function roomEvent<T>(
  room: JobRoom,
  event: 'disconnected' | 'connectionStateChanged' | 'participantConnected' | 'participantDisconnected',
): Observable<T> {
  // an overloaded method takes no union
  const name = event as 'disconnected';
  return fromEventPattern<T>(
    (listener) => room.on(name, listener),
    (listener) => room.off(name, listener),
  );
}

/** The states of the bot's connection, as rtc-node numbers them. */
export function connectionStates(room: JobRoom): Observable<number> {
  return roomEvent(room, 'connectionStateChanged');
}
