import type { Logger } from '../lib/logger.ts';
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
/** A guardian that lived for so long has not failed, however it ended. */
const youngMs = 10_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/** How a guardian's process is started; another one in tests. */
export type StartGuardian = (
  events: GuardianProcessEvents,
) => Pick<GuardianProcess, 'pid' | 'send' | 'write'>;

/**
 * The bot's side of the guardian: one process for all rooms of this process, started for the first of them and
 * started again when it dies.
 *
 * Where none can be started it warns, once until there is one, and tries again after 1, 2, 4 … 60 s; everything
 * else works. It never keeps the process alive.
 */
export class Guardian {
  readonly #start: StartGuardian;
  readonly #watched = new Map<number, Watched>();
  #process: ReturnType<StartGuardian> | undefined;
  #beatTimer: ReturnType<typeof setInterval> | undefined;
  #beatMs = Number.POSITIVE_INFINITY;
  #nextId = 1;
  #startedMs = 0;
  /** Whether the present process has taken over a room. */
  #isReady = false;
  /** In a row: processes that could not be started or died young. */
  #failures = 0;
  /** While it runs no process is started. */
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
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
    if (this.#process !== undefined) this.#sendWatch(watched);
    else if (this.#retryTimer === undefined) this.#startProcess();
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
    this.#isReady = false;
    try {
      this.#process = this.#start({
        onMessage: (message) => this.#receive(message),
        onEnd: (error) => this.#ended(error),
      });
      for (const watched of this.#watched.values()) this.#sendWatch(watched);
    } catch (error) {
      this.#ended(error);
    }
  }

  #receive(message: FromGuardian): void {
    const watched = this.#watched.get(message.id);
    if (message.type === 'finished') this.#remove(message.id);
    else if (message.type === 'armed') this.#armed(watched);
    else watched?.options.onNews(message);
  }

  #armed(watched: Watched | undefined): void {
    this.#isReady = true;
    if (watched === undefined) return;
    watched.armed = true;
    if (this.#warned) watched.options.logger.info({}, 'there is a guardian now');
    this.#warned = false;
  }

  #ended(error: unknown): void {
    this.#process = undefined;
    for (const watched of this.#watched.values()) watched.armed = false;
    const [first] = this.#watched.values();
    if (this.#isReady && (first === undefined || performance.now() - this.#startedMs >= youngMs)) {
      this.#failures = 0;
    } else {
      this.#failures += 1;
    }
    if (first !== undefined) this.#warn(first.options.logger, error);
    // one that was of use is replaced at once; then the replacements must last
    if (this.#isReady && this.#failures <= 1) this.#startIfNeeded();
    else this.#startLater(Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1)));
  }

  #warn(logger: Logger, error: unknown): void {
    if (this.#isReady) {
      logger.warn({ error }, 'the guardian has died; another one is started');
    } else if (!this.#warned) {
      this.#warned = true;
      logger.warn(
        { error },
        'no guardian can be started, which is tried again; if this process is killed before, its rooms are left to a sweeper',
      );
    }
  }

  #startLater(delayMs: number): void {
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#startIfNeeded();
    }, delayMs);
    this.#retryTimer.unref();
  }

  #startIfNeeded(): void {
    if (this.#watched.size > 0) this.#startProcess();
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
