import { type Observable, Subject } from 'rxjs';
import type { OutputAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import type { LiveKitRoomEvent } from '../transports/livekit/transport-events.ts';
import type { OutputMessage } from '../transports/outgoing-frames.ts';
import type { Participant } from '../transports/room-input.ts';

/** Those events of a LiveKit room that a call without a server can have. */
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

/** A room in memory: joined by the first of its owners, left by the last, as a real one. */
export class MemoryRoom {
  readonly #events = new Subject<MemoryRoomEvent>();
  readonly events$: Observable<MemoryRoomEvent> = this.#events.asObservable();
  readonly participants: Map<string, Participant> = new Map();
  readonly played: OutputAudioRawFrame[] = [];
  readonly shown: OutputImageRawFrame[] = [];
  readonly messages: OutputMessage[] = [];
  readonly keys: KeypadEntry[] = [];
  readonly history: ('joined' | 'left')[] = [];
  readonly #owners = new Set<object>();
  readonly #paced: boolean;
  /** Cuts what plays now, on each track. */
  readonly #cuts = new Map<string | undefined, () => void>();

  /** @param paced Whether playing takes as long as the sound lasts. */
  constructor(paced: boolean) {
    this.#paced = paced;
  }

  get isConnected(): boolean {
    return this.#owners.size > 0;
  }

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

  disconnect(owner: object): void {
    if (!this.#owners.delete(owner) || this.isConnected) return;
    this.#gone({ type: 'left' });
  }

  /** The other side has ended it. */
  end(reason: string): void {
    if (!this.isConnected) return;
    this.#owners.clear();
    this.participants.clear();
    this.#gone({ type: 'disconnected', reason });
  }

  /** Tells of something, if the bot is there to notice. */
  tell(event: MemoryRoomEvent): void {
    if (this.isConnected) this.#events.next(event);
  }

  /** @returns Whether the chunk was heard to its end. */
  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    const isWhole = this.isConnected && (!this.#paced || (await this.#lasts(chunk)));
    if (isWhole) this.played.push(chunk);
    return isWhole;
  }

  /** The chunk that is being played on this track was not heard. */
  cut(destination: string | undefined): void {
    this.#cuts.get(destination)?.();
  }

  #gone(event: MemoryRoomEvent): void {
    this.history.push('left');
    for (const cut of this.#cuts.values()) cut();
    this.#events.next(event);
  }

  #lasts({ durationMs, transportDestination }: OutputAudioRawFrame): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs, true);
      this.#cuts.set(transportDestination, () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}
