import type { Logger } from '../logger.ts';
import { beat, type FromGuardian, type GuardedRoom, type ToGuardian } from './guardian-messages.ts';
import { GuardianProcess, type GuardianProcessEvents } from './guardian-process.ts';

export type GuardianNews = Extract<FromGuardian, { type: 'settled' | 'reappeared' }>;

export interface WatchOptions {
  readonly logger: Logger;
  /** What the guardian did of its own accord. */
  readonly onNews: (news: GuardianNews) => void;
}

/** One room's place with the guardian. */
export interface GuardianHold {
  /** Whether the guardian knows the room and is alive, as far as this process can know. */
  readonly armed: boolean;
  /** Whether it is armed, or will be: what it is told now it will do. */
  readonly isComing: boolean;
  /** Tells what has become known of the room. */
  update(guarded: GuardedRoom): void;
  /** The guardian goes on trying, from now on. */
  takeOver(): void;
  /** The room was deleted: the guardian looks again, also after the end of this process. */
  look(): void;
  /** The room is to be left alone. */
  forget(): void;
}

interface Watched {
  readonly id: number;
  readonly options: WatchOptions;
  guarded: GuardedRoom;
  /** What to tell a new guardian, after the room itself. */
  order: 'take-over' | 'look' | undefined;
  armed: boolean;
}

/** Four beats may be lost before a bot counts as stuck. */
const beatsPerLimit = 4;
/** Guardians in a row that died young; then there is no use in another one, until there is another room. */
const maxYoungDeaths = 5;
const youngMs = 10_000;

/** How a guardian's process is started; another one in tests. */
export type StartGuardian = (
  events: GuardianProcessEvents,
) => Pick<GuardianProcess, 'pid' | 'send' | 'write'>;

/**
 * The bot's side of the guardian: one process for all rooms of this process, started for the first of them and
 * started again when it dies.
 *
 * Where none can be started it warns once and everything else works. It never keeps the process alive.
 */
export class Guardian {
  readonly #start: StartGuardian;
  readonly #watched = new Map<number, Watched>();
  #process: ReturnType<StartGuardian> | undefined;
  #beatTimer: ReturnType<typeof setInterval> | undefined;
  #beatMs = Number.POSITIVE_INFINITY;
  #nextId = 1;
  #startedMs = 0;
  #youngDeaths = 0;
  #warned = false;

  constructor(start: StartGuardian = (events) => new GuardianProcess(events)) {
    this.#start = start;
  }

  /** Of the guardian's process, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Whether it knows all rooms that it was told of. */
  get armed(): boolean {
    return this.#watched.size > 0 && [...this.#watched.values()].every(({ armed }) => armed);
  }

  /** From now on the room is deleted when this process dies, or does not beat for `heartbeatMs`. */
  watch(guarded: GuardedRoom, options: WatchOptions): GuardianHold {
    const watched: Watched = { id: this.#nextId++, guarded, options, order: undefined, armed: false };
    this.#watched.set(watched.id, watched);
    if (this.#process === undefined) this.#startProcess();
    else this.#sendWatch(watched);
    this.#setBeat();
    const isComing = (): boolean => this.#process !== undefined && this.#watched.has(watched.id);
    return {
      get armed() {
        return watched.armed;
      },
      get isComing() {
        return isComing();
      },
      update: (changed) => {
        watched.guarded = changed;
        this.#send(watched, { type: 'watch', id: watched.id, guarded: changed });
        this.#setBeat();
      },
      takeOver: () => this.#order(watched, 'take-over'),
      look: () => this.#order(watched, 'look'),
      forget: () => {
        this.#send(watched, { type: 'forget', id: watched.id });
        this.#remove(watched.id);
      },
    };
  }

  #order(watched: Watched, order: 'take-over' | 'look'): void {
    watched.order = order;
    this.#send(watched, { type: order, id: watched.id });
  }

  #send({ id }: Watched, message: ToGuardian): void {
    if (this.#watched.has(id)) this.#process?.send(message);
  }

  #sendWatch({ id, guarded, order }: Watched): void {
    this.#process?.send({ type: 'watch', id, guarded });
    if (order !== undefined) this.#process?.send({ type: order, id });
  }

  #startProcess(): void {
    this.#startedMs = performance.now();
    try {
      this.#process = this.#start({
        onMessage: (message) => this.#receive(message),
        onEnd: (error) => this.#ended(error),
      });
      for (const watched of this.#watched.values()) this.#sendWatch(watched);
    } catch (error) {
      this.#warn(error);
    }
  }

  #receive(message: FromGuardian): void {
    const watched = this.#watched.get(message.id);
    if (message.type === 'finished') this.#remove(message.id);
    else if (message.type !== 'armed') watched?.options.onNews(message);
    else if (watched !== undefined) watched.armed = true;
  }

  #ended(error: Error | undefined): void {
    this.#process = undefined;
    const [first] = this.#watched.values();
    if (first === undefined) return;
    const wasArmed = first.armed;
    for (const watched of this.#watched.values()) watched.armed = false;
    const isYoung = performance.now() - this.#startedMs < youngMs;
    this.#youngDeaths = isYoung ? this.#youngDeaths + 1 : 0;
    if (this.#youngDeaths >= maxYoungDeaths) {
      this.#warn(error);
      return;
    }
    if (wasArmed) first.options.logger.warn({}, 'the guardian has died; another one is started');
    this.#startProcess();
  }

  #warn(error: unknown): void {
    this.#youngDeaths = 0;
    const [first] = this.#watched.values();
    if (this.#warned) return;
    this.#warned = true;
    const text = 'no guardian can be started; if this process is killed its rooms are left to a sweeper';
    first?.options.logger.warn({ error }, text);
  }

  #remove(id: number): void {
    const watched = this.#watched.get(id);
    if (watched !== undefined) watched.armed = false;
    this.#watched.delete(id);
    this.#setBeat();
  }

  /** A beat that is under way is left alone, or rooms that come and go would put it off for ever. */
  #setBeat(): void {
    const limits = [...this.#watched.values()].flatMap(({ guarded }) => guarded.heartbeatMs ?? []);
    const beatMs = Math.min(...limits) / beatsPerLimit;
    if (beatMs === this.#beatMs) return;
    clearInterval(this.#beatTimer);
    if (this.#beatMs !== Number.POSITIVE_INFINITY) this.#process?.write(beat);
    this.#beatMs = beatMs;
    if (beatMs === Number.POSITIVE_INFINITY) return;
    this.#beatTimer = setInterval(() => this.#process?.write(beat), beatMs);
    this.#beatTimer.unref();
  }
}

/** One for the process, as processes die as a whole. */
export const guardian: Guardian = new Guardian();
