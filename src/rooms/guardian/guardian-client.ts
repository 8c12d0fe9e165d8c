/** The bot's side of the guardian: one child process for all rooms of this process, started again when it dies. */

import type { Logger } from '../../lib/logger.ts';
import { beat, type FromGuardian, type RoomToGuard, type ToGuardian } from './protocol.ts';
import { GuardianProcess, type GuardianProcessEvents } from './spawn-guardian.ts';

/** The messages of the guardian that the bot logs or emits. */
export type GuardianNews = Extract<FromGuardian, { type: 'settled' | 'reappeared' }>;

/** Options of a watch by the guardian. */
export interface WatchOptions {
  /** The logger. */
  readonly logger: Logger;
  /** Called for what the guardian did. */
  readonly onNews: (news: GuardianNews) => void;
}

/** One room with the guardian. */
export interface GuardedRoomHandle {
  /** Whether the guardian has the room and is alive, as far as this process can know. */
  readonly armed: boolean;
  /** Whether it is armed, or will be, so that it receives what is sent now. */
  readonly isComing: boolean;
  /** Sends what has become known of the room. */
  update(guarded: RoomToGuard): void;
  /** The guardian deletes from now on. */
  takeOver(): void;
  /** The room was deleted: the guardian verifies it, also after the end of this process. */
  verify(): void;
  /** The room is to be left alone. */
  release(): void;
}

interface Entry {
  readonly id: number;
  readonly options: WatchOptions;
  guarded: RoomToGuard;
  /** For a new guardian, after the room itself. */
  order: 'take-over' | 'verify' | undefined;
  armed: boolean;
}

/** Four heartbeats may be lost before a bot counts as stuck. */
const beatsPerLimit = 4;
/** A guardian that lived for so long counts as working, however it ended. */
const stableMs = 10_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/** How a guardian's process is started; another one in tests. */
export type StartGuardian = (
  events: GuardianProcessEvents,
) => Pick<GuardianProcess, 'pid' | 'send' | 'write'>;

/**
 * Registry of the rooms, and the guardian's process.
 *
 * Where none can be started it warns, once until there is one, and tries again after 1, 2, 4 … 60 s; everything else
 * works. It never keeps the process alive.
 */
export class GuardianClient {
  readonly #start: StartGuardian;
  readonly #entries = new Map<number, Entry>();
  #process: ReturnType<StartGuardian> | undefined;
  #beatTimer: ReturnType<typeof setInterval> | undefined;
  #beatMs = Number.POSITIVE_INFINITY;
  #nextId = 1;
  #startedMs = 0;
  /** Whether the present process has confirmed a room. */
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

  /** Whether it has confirmed all rooms. */
  get armed(): boolean {
    return this.#entries.size > 0 && [...this.#entries.values()].every(({ armed }) => armed);
  }

  /** From now on the room is deleted when this process dies, or sends no heartbeat for `heartbeatMs`. */
  watch(guarded: RoomToGuard, options: WatchOptions): GuardedRoomHandle {
    const entry: Entry = { id: this.#nextId++, guarded, options, order: undefined, armed: false };
    this.#entries.set(entry.id, entry);
    if (this.#process !== undefined) this.#sendWatch(entry);
    else if (this.#retryTimer === undefined) this.#startProcess();
    this.#setBeat();
    const isComing = (): boolean => this.#process !== undefined && this.#entries.has(entry.id);
    return {
      get armed() {
        return entry.armed;
      },
      get isComing() {
        return isComing();
      },
      update: (changed) => {
        entry.guarded = changed;
        this.#send(entry, { type: 'watch', id: entry.id, guarded: changed });
        this.#setBeat();
      },
      takeOver: () => this.#order(entry, 'take-over'),
      verify: () => this.#order(entry, 'verify'),
      release: () => {
        this.#send(entry, { type: 'release', id: entry.id });
        this.#remove(entry.id);
      },
    };
  }

  #order(entry: Entry, order: 'take-over' | 'verify'): void {
    entry.order = order;
    this.#send(entry, { type: order, id: entry.id });
  }

  #send({ id }: Entry, message: ToGuardian): void {
    if (this.#entries.has(id)) this.#process?.send(message);
  }

  #sendWatch({ id, guarded, order }: Entry): void {
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
      for (const entry of this.#entries.values()) this.#sendWatch(entry);
    } catch (error) {
      this.#ended(error);
    }
  }

  #receive(message: FromGuardian): void {
    const entry = this.#entries.get(message.id);
    if (message.type === 'finished') this.#remove(message.id);
    else if (message.type === 'armed') this.#armed(entry);
    else entry?.options.onNews(message);
  }

  #armed(entry: Entry | undefined): void {
    this.#isReady = true;
    if (entry === undefined) return;
    entry.armed = true;
    if (this.#warned) entry.options.logger.info({}, 'there is a guardian now');
    this.#warned = false;
  }

  #ended(error: unknown): void {
    this.#process = undefined;
    for (const entry of this.#entries.values()) entry.armed = false;
    const [first] = this.#entries.values();
    if (this.#isReady && (first === undefined || performance.now() - this.#startedMs >= stableMs)) {
      this.#failures = 0;
    } else {
      this.#failures += 1;
    }
    if (first !== undefined) this.#warn(first.options.logger, error);
    // one that worked is replaced at once; its replacements must be stable
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
    if (this.#entries.size > 0) this.#startProcess();
  }

  #remove(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.armed = false;
    this.#entries.delete(id);
    this.#setBeat();
  }

  /** A running interval is kept: rooms that come and go would postpone the next heartbeat for ever. */
  #setBeat(): void {
    const limits = [...this.#entries.values()].flatMap(({ guarded }) => guarded.heartbeatMs ?? []);
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

/** One per process, as a process dies as a whole. */
export const guardian: GuardianClient = new GuardianClient();
