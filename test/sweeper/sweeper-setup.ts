/** A LiveKit in this process with bots that beat: no HTTP, so that it lives in virtual time. */

import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { leaseAttribute, leaseBeatMs } from '../../src/rooms/lease.ts';
import type { ListedParticipant, ListedRoom } from '../../src/rooms/rest/room-rest.ts';
import type { SweeperRest } from '../../src/sweeper/sweeper-options.ts';
import { listedParticipant } from '../support/listed-participant.ts';

interface Inhabited {
  readonly room: ListedRoom;
  readonly participants: Map<string, ListedParticipant>;
}

export interface Bot {
  /** Dead as after SIGKILL: LiveKit lists it for another 20 s. */
  kill(): void;
  /** Its loop stands still, and LiveKit does not notice. */
  block(): void;
  unblock(): void;
  /** Gone at once. */
  leave(): void;
}

export interface BotOptions {
  /** Default true; false: a bot in another language. */
  readonly beats?: boolean;
  /** For so long after LiveKit was frozen its beats are lost: it waits for those that went before. Default 0. */
  readonly lateMs?: number;
  readonly identity?: string;
}

const answerAfterMs = 1;
const attemptTimeoutMs = 3_000;
const connectionTimeoutMs = 20_000;

export class World implements SweeperRest {
  readonly #rooms = new Map<string, Inhabited>();
  #created = 0;
  /** Called with the name just before LiveKit deletes. */
  beforeDelete: (name: string) => void = () => {};
  /** Rooms whose participants are never told. */
  readonly hanging: Set<string> = new Set();
  /** Errors to throw, by call and room name. */
  readonly failing: Map<string, LiveKitRESTError> = new Map();
  #frozen = false;
  #thawedMs = Number.NEGATIVE_INFINITY;
  readonly calls: Record<'listRooms' | 'listParticipants' | 'deleteRoomByName', number> = {
    listRooms: 0,
    listParticipants: 0,
    deleteRoomByName: 0,
  };
  readonly deleted: string[] = [];

  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(isFrozen: boolean) {
    if (this.#frozen && !isFrozen) this.#thawedMs = performance.now();
    this.#frozen = isFrozen;
  }

  get names(): string[] {
    return [...this.#rooms.keys()];
  }

  create(name: string, metadata = '{"endframe":true}', sid = `RM_${this.#created}`): void {
    this.#created += 1;
    const room = { name, sid, creationTimeMs: Date.now(), metadata };
    this.#rooms.set(name, { room, participants: new Map() });
  }

  metadata(name: string, metadata: string): void {
    const { room, participants } = this.#inhabited(name);
    this.#rooms.set(name, { room: { ...room, metadata }, participants });
  }

  /** A person joins; creates the room where there is none. */
  human(name: string, identity = 'ada'): void {
    this.#join(name, identity, false);
  }

  /** A bot joins, and beats from now on. */
  bot(name: string, { beats = true, identity = 'bot', lateMs = 0 }: BotOptions = {}): Bot {
    this.#join(name, identity, true);
    const run = `${Math.random()}`.slice(2);
    let count = 0;
    let blocked = false;
    const beat = (): void => {
      const one = this.#rooms.get(name)?.participants.get(identity);
      // LiveKit takes no attributes while it is frozen
      if (one === undefined || !beats || blocked || this.frozen) return;
      if (performance.now() < this.#thawedMs + lateMs) return;
      this.#put(name, { ...one, attributes: { [leaseAttribute]: `${run}.${count}` } });
      count += 1;
    };
    beat();
    const timer = setInterval(beat, leaseBeatMs);
    const leave = (): void => {
      clearInterval(timer);
      this.#rooms.get(name)?.participants.delete(identity);
    };
    return {
      kill: () => {
        clearInterval(timer);
        setTimeout(leave, connectionTimeoutMs);
      },
      block: () => {
        blocked = true;
      },
      unblock: () => {
        blocked = false;
        beat();
      },
      leave,
    };
  }

  /** All rooms vanish from the lists for a while, as when LiveKit's Redis loses its data. */
  forgetsFor(ms: number): void {
    const all = [...this.#rooms];
    this.#rooms.clear();
    setTimeout(() => {
      for (const [name, inhabited] of all) this.#rooms.set(name, inhabited);
    }, ms);
  }

  async listRooms(names: readonly string[]): Promise<readonly ListedRoom[]> {
    this.calls.listRooms += 1;
    await this.#answers('listRooms', names[0] ?? '');
    const rooms = [...this.#rooms.values()].map(({ room }) => room);
    return names.length === 0 ? rooms : rooms.filter(({ name }) => names.includes(name));
  }

  async listParticipants(name: string): Promise<readonly ListedParticipant[]> {
    this.calls.listParticipants += 1;
    await this.#answers('listParticipants', name);
    if (this.hanging.has(name)) await new Promise(() => {});
    return [...(this.#rooms.get(name)?.participants.values() ?? [])];
  }

  async deleteRoomByName(name: string): Promise<true> {
    this.calls.deleteRoomByName += 1;
    await this.#answers('deleteRoomByName', name);
    this.beforeDelete(name);
    if (!this.#rooms.delete(name)) throw restError('not_found', name, 404);
    this.deleted.push(name);
    return true;
  }

  async #answers(call: keyof World['calls'], name: string): Promise<void> {
    await after(this.frozen ? attemptTimeoutMs : answerAfterMs);
    if (this.frozen) throw restError('timeout', name);
    const error = this.failing.get(`${call} ${name}`) ?? this.failing.get(call);
    if (error !== undefined) throw error;
  }

  #join(name: string, identity: string, isAgent: boolean): void {
    if (!this.#rooms.has(name)) this.create(name);
    this.#put(name, listedParticipant(identity, { isAgent }));
  }

  #put(name: string, participant: ListedParticipant): void {
    this.#inhabited(name).participants.set(participant.identity, participant);
  }

  #inhabited(name: string): Inhabited {
    const inhabited = this.#rooms.get(name);
    if (inhabited === undefined) throw new Error(`no room ${name}`);
    return inhabited;
  }
}

export function restError(
  kind: 'not_found' | 'timeout' | 'unavailable' | 'auth',
  name = '',
  status?: number,
): LiveKitRESTError {
  const retryable = kind === 'timeout' || kind === 'unavailable';
  return new LiveKitRESTError(name, { kind, retryable, status });
}

// not the promise of node:timers, which no fake clock moves
function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
