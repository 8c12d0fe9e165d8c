/** Deletes rooms before the process exits, in programs without a `PipelineRunner`. */

import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs, checkMethods } from '../lib/options.ts';
import {
  type ExitListener,
  type ExitSignal,
  exitCodeOf,
  forcedExitMs,
  processExit,
  withReported,
} from '../lib/process-exit.ts';
import { withAbort } from '../lib/timeout.ts';
import { mayRemain, type RoomDeletionOutcome } from './delete-room.ts';
import type { DeletionTrigger } from './delete-when.ts';
import type { RestCallOptions } from './rest/room-rest.ts';

/** A `RoomDeleter`, or an object that holds one. */
export interface DeletesRoom {
  /** Deletes the room; settles with the outcome. */
  deleteRoom(trigger: DeletionTrigger, options?: RestCallOptions): Promise<RoomDeletionOutcome>;
}

/** Options of {@link closeOnProcessExit}. */
export interface CloseOnProcessExitOptions {
  /** For the whole shutdown, in milliseconds; below the 10 s of most supervisors. Default 8_000. */
  readonly budgetMs?: number | undefined;
  /** Receives log lines. Default: stderr. */
  readonly logger?: Logger | undefined;
}

/** Removes the handlers when called, or at the end of a `using` block. */
export interface ExitWatch extends Disposable {
  /** Stops watching. Idempotent. */
  (): void;
}

interface Watched {
  readonly deleter: DeletesRoom;
  readonly budgetMs: number;
  readonly logger: Logger;
}

/**
 * Deletes the room on SIGINT, SIGTERM, SIGHUP, `beforeExit`, uncaught exceptions and unhandled rejections.
 *
 * After a signal or an uncaught error the process exits once every watched room has its outcome, and every
 * `PipelineRunner` is done: exit code 0 after one signal (or the `process.exitCode` that was set), 1 after an
 * uncaught error, 3 when a room may remain. A second signal exits after at most 500 ms with 128 + its number.
 * After `beforeExit` the process ends by itself, with 3 when a room may remain.
 *
 * @returns A function that removes the handlers; they also go after `beforeExit`.
 * @throws {InvalidOptionError} `deleter` has no `deleteRoom`, or `budgetMs` is no limit.
 */
export function closeOnProcessExit(
  deleter: DeletesRoom,
  { budgetMs = 8_000, logger = stderrLogger }: CloseOnProcessExitOptions = {},
): ExitWatch {
  checkMethods('deleter', deleter, ['deleteRoom']);
  checkDurationMs('budgetMs', budgetMs);
  checkMethods('logger', logger, ['debug', 'info', 'warn', 'error']);
  const entry: Watched = { deleter, budgetMs, logger: safeLogger(logger) };
  watchedRooms.add(entry);
  const stop = (): void => watchedRooms.remove(entry);
  return Object.assign(stop, { [Symbol.dispose]: stop });
}

/** The rooms that are deleted before this process exits. */
class WatchedRooms implements ExitListener {
  readonly #watched = new Set<Watched>();
  #signalled = false;
  /** Of a second signal, else 3, else 1, else 0. */
  #exitCode = 0;
  /** False for an empty event loop alone. */
  #mustExit = false;
  #stopListening: (() => void) | undefined;

  add(entry: Watched): void {
    if (this.#watched.size === 0) this.#stopListening = processExit.listen(this);
    this.#watched.add(entry);
    // the process is exiting already; no further event comes
    if (processExit.isRequested) {
      this.#mustExit = true;
      void this.#close('exit');
    }
  }

  remove(entry: Watched): void {
    if (this.#watched.delete(entry) && this.#watched.size === 0) this.#stopListening?.();
  }

  onSignal(signal: ExitSignal): void {
    this.#mustExit = true;
    if (this.#signalled) {
      const code = exitCodeOf(signal);
      this.#exitCode = code;
      setTimeout(() => processExit.forceExit(code), forcedExitMs);
    }
    this.#signalled = true;
    void this.#close('signal');
  }

  onUncaught(error: unknown): void {
    this.#mustExit = true;
    this.#exitCode = Math.max(this.#exitCode, 1);
    const stack = error instanceof Error ? error.stack : undefined;
    const [first] = this.#watched;
    first?.logger.error({ error, stack }, 'uncaught error: the process ends when its rooms are deleted');
    void this.#close('exit');
  }

  onBeforeExit(): void {
    void this.#close('exit');
  }

  async #close(trigger: DeletionTrigger): Promise<void> {
    const deletions = {};
    processExit.acquire(deletions);
    const gone = await Promise.all([...this.#watched].map((entry) => this.#deleteRoom(entry, trigger)));
    if (gone.includes(false)) this.#exitCode = Math.max(this.#exitCode, 3);
    this.#finish();
    processExit.release(deletions);
  }

  async #deleteRoom(entry: Watched, trigger: DeletionTrigger): Promise<boolean> {
    const { deleter, budgetMs: limitMs, logger } = entry;
    const onTimeout = (): Error => new Error(`the room was not deleted within ${limitMs} ms`);
    try {
      const outcome = await withAbort({ limitMs, signal: undefined, onTimeout }, async (signal) =>
        deleter.deleteRoom(trigger, { signal }),
      );
      return !mayRemain(outcome);
    } catch (error) {
      logger.error({ error }, 'a room may remain');
      return false;
    }
  }

  #finish(): void {
    if (this.#exitCode > 0) process.exitCode = withReported(this.#exitCode);
    if (this.#mustExit) processExit.requestExit(this.#exitCode);
    // an event loop that runs empty again would otherwise repeat this for ever
    else for (const entry of this.#watched) this.remove(entry);
  }
}

/** One per process, as signal handlers are: exiting for one room would abort the deletion of another. */
const watchedRooms = new WatchedRooms();
