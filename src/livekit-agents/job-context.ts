/** What is used of `@livekit/agents`, 1.4.3 and later: its own classes fit, and nothing of it is imported. */

/** A participant as the room of a job sees it. */
export interface JobParticipant {
  readonly identity: string;
  readonly info?: { readonly kind?: number | undefined } | undefined;
}

/** Part of rtc-node's `Room`. */
export interface JobRoom {
  /** `undefined` until connected. */
  readonly name?: string | undefined;
  readonly remoteParticipants?: ReadonlyMap<string, JobParticipant> | undefined;
  /** The bot; `undefined` until connected. */
  readonly localParticipant?: { readonly sid?: string | undefined } | undefined;
  on(event: 'disconnected' | 'connectionStateChanged', listener: (code: number) => void): unknown;
  on(
    event: 'participantConnected' | 'participantDisconnected',
    listener: (participant: JobParticipant) => void,
  ): unknown;
  off(event: 'disconnected' | 'connectionStateChanged', listener: (code: number) => void): unknown;
  off(
    event: 'participantConnected' | 'participantDisconnected',
    listener: (participant: JobParticipant) => void,
  ): unknown;
}

/** Part of `JobContext`. */
export interface AgentJobContext {
  readonly info: {
    readonly url: string;
    /** The worker's; may be missing or empty. */
    readonly apiKey?: string | undefined;
    readonly apiSecret?: string | undefined;
    readonly fakeJob?: boolean | undefined;
    readonly acceptArguments?: { readonly identity: string } | undefined;
  };
  readonly job: { readonly room?: { readonly name: string; readonly sid?: string } | undefined };
  readonly room: JobRoom;
  /** True in console mode, where there is no room. */
  readonly isFakeJob?: boolean | undefined;
  /** Runs when the bot has left the room, with all others at once. */
  addShutdownCallback(callback: () => Promise<void>): void;
  /** Asks the job to end; returns at once. */
  shutdown(reason?: string): void;
}

/** Part of `CloseEvent`. */
export interface SessionCloseEvent {
  /** `error`, `job_shutdown`, `participant_disconnected`, `user_initiated`, or what `shutdown()` was given. */
  readonly reason: string;
  readonly error?: unknown;
}

/** Part of `voice.AgentSession`, whose events are named by an enum that a literal would not fit. */
export interface AgentSessionEvents {
  on(event: string, listener: (event: SessionCloseEvent) => void): unknown;
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

/** A person, by browser, app or phone. */
export function isPerson({ info }: JobParticipant): boolean {
  return !machineKinds.includes(info?.kind);
}
