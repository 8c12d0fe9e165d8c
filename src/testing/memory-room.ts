/** A room in memory: its participants, and what the bot does in it. */

import { type Observable, Subject } from 'rxjs';
import type { OutputAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import type { OutputMessage } from '../transports/base-output.ts';
import type { LiveKitRoomEvent } from '../transports/livekit/room-events.ts';
import type { Participant } from '../transports/room-transport.ts';

/** The events of a LiveKit room that can occur without a server. */
export type MemoryRoomEvent = Extract<
  LiveKitRoomEvent,
  {
    readonly type:
      | 'connected'
      | 'disconnected'
      | 'left'
      | 'participantJoined'
      | 'participantLeft'
      | 'dataReceived'
      | 'dtmfReceived';
  }
>;

/** Joined with the first owner, left with the last, as a `RoomSession`. */
export class MemoryRoom {
  readonly #events = new Subject<MemoryRoomEvent>();
  readonly events$: Observable<MemoryRoomEvent> = this.#events.asObservable();
  /** By identity. */
  readonly participants: Map<string, Participant> = new Map();
  readonly played: OutputAudioRawFrame[] = [];
  readonly shown: OutputImageRawFrame[] = [];
  readonly messages: OutputMessage[] = [];
  readonly keys: KeypadEntry[] = [];
  /** Joins and leaves of the bot. */
  readonly history: ('joined' | 'left')[] = [];
  readonly #owners = new Set<object>();
  readonly #paced: boolean;
  /** Interrupts the chunk that is being played, by destination. */
  readonly #interrupts = new Map<string | undefined, () => void>();

  /** @param paced Whether playing audio takes as long as it lasts. */
  constructor(paced: boolean) {
    this.#paced = paced;
  }

  /** Whether there is an owner. */
  get isConnected(): boolean {
    return this.#owners.size > 0;
  }

  /** Adds an owner. */
  connect(owner: object): void {
    const isJoining = !this.isConnected;
    this.#owners.add(owner);
    if (!isJoining) return;
    this.history.push('joined');
    this.#events.next({ type: 'connected' });
    for (const participant of this.participants.values()) {
      this.#events.next({ type: 'participantJoined', ...participant });
    }
  }

  /** Removes an owner. Idempotent. */
  disconnect(owner: object): void {
    if (!this.#owners.delete(owner) || this.isConnected) return;
    this.#left({ type: 'left' });
  }

  /** The server ends the connection. */
  disconnectRemotely(reason: string): void {
    if (!this.isConnected) return;
    this.#owners.clear();
    this.participants.clear();
    this.#left({ type: 'disconnected', reason });
  }

  /** Emits an event, if the bot is connected. */
  emit(event: MemoryRoomEvent): void {
    if (this.isConnected) this.#events.next(event);
  }

  /** @returns Whether the chunk was played to its end. */
  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    const isWhole = this.isConnected && (!this.#paced || (await this.#playFor(chunk)));
    if (isWhole) this.played.push(chunk);
    return isWhole;
  }

  /** Interrupts the chunk that is being played at this destination. */
  clear(destination: string | undefined): void {
    this.#interrupts.get(destination)?.();
  }

  #left(event: MemoryRoomEvent): void {
    this.history.push('left');
    for (const interrupt of this.#interrupts.values()) interrupt();
    this.#events.next(event);
  }

  #playFor({ durationMs, transportDestination }: OutputAudioRawFrame): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs, true);
      this.#interrupts.set(transportDestination, () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}
