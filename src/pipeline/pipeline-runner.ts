/** Runs tasks, and ends them and the process in order when a signal or an uncaught error arrives. */

import { InvalidOptionError, PipelineError } from '../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import {
  checkBoolean,
  checkDurationMs,
  checkLogger,
  checkNames,
  checkOneOf,
  checkOptions,
} from '../lib/options.ts';
import {
  type ExitListener,
  type ExitSignal,
  exitCodeOf,
  forcedExitMs,
  processExit,
  withReported,
} from '../lib/process-exit.ts';
import type { PipelineResult } from '../processors/frame-processor-setup.ts';
import type { PipelineTask } from './pipeline-task.ts';

/** Options of a runner. */
export interface PipelineRunnerOptions {
  /** What SIGINT, SIGTERM and SIGHUP do: cancel the tasks, or end them gracefully. Default `'cancel'`. */
  readonly onSignal?: 'cancel' | 'end';
  /** From a signal or an uncaught error to the exit of the process, in milliseconds. Default 8 000. */
  readonly shutdownBudgetMs?: number;
  /** Whether the runner listens to signals and uncaught errors. Default true. */
  readonly handleProcessEvents?: boolean;
  /** Default: warnings and errors to stderr. */
  readonly logger?: Logger;
}

const known: Record<keyof PipelineRunnerOptions, true> = {
  onSignal: true,
  shutdownBudgetMs: true,
  handleProcessEvents: true,
  logger: true,
};

/**
 * Runs tasks until all of them are over.
 *
 * A signal, an uncaught exception or an unhandled rejection ends the tasks within the shutdown budget, and then the
 * process, once other runners are done as well. `process.exitCode` is 0 for an orderly run, 1 after an error in user
 * code or a failed run, and 3 when an exit hook reports it (a room may remain); the highest counts.
 *
 * @example
 * ```ts
 * await new PipelineRunner().run(task);
 * ```
 * @see Pipecat `workers/runner.py`, `WorkerRunner`; differs in that SIGTERM and SIGHUP count, that a second
 * signal escalates, and that `end()` ends.
 */
export class PipelineRunner {
  readonly #onSignal: 'cancel' | 'end';
  readonly #budgetMs: number;
  readonly #handlesProcessEvents: boolean;
  readonly #logger: Logger;
  #tasks: readonly PipelineTask[] = [];
  #exitCode = 0;
  #signalled = false;
  #shuttingDown = false;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #stopListening: (() => void) | undefined;

  /** @throws {InvalidOptionError} An option is unknown, or can never work. */
  constructor(options: PipelineRunnerOptions = {}) {
    checkOptions(options);
    checkNames(options, Object.keys(known));
    const {
      onSignal = 'cancel',
      shutdownBudgetMs = 8_000,
      handleProcessEvents = true,
      logger = stderrLogger,
    } = options;
    checkOneOf('onSignal', onSignal, ['cancel', 'end']);
    checkDurationMs('shutdownBudgetMs', shutdownBudgetMs);
    checkBoolean('handleProcessEvents', handleProcessEvents);
    checkLogger('logger', logger);
    this.#onSignal = onSignal;
    this.#budgetMs = shutdownBudgetMs;
    this.#handlesProcessEvents = handleProcessEvents;
    this.#logger = safeLogger(logger);
  }

  /**
   * @returns How each task ended, in their order; never rejects because of that.
   * @throws {InvalidOptionError} One of them is no task.
   * @throws {PipelineError} When the runner is running already.
   */
  async run(...tasks: readonly PipelineTask[]): Promise<readonly PipelineResult[]> {
    for (const task of tasks) checkTask(task);
    if (this.#tasks.length > 0) throw new PipelineError('This PipelineRunner is running already');
    this.#tasks = tasks;
    if (this.#handlesProcessEvents) {
      this.#stopListening = processExit.listen(this.#listener);
      processExit.acquire(this);
    }
    try {
      const results = await this.#runAll(tasks);
      if (results.some(({ reason }) => reason === 'failed')) this.#raiseExitCode(1);
      for (const task of tasks) this.#raiseExitCode(task.exitCode);
      return results;
    } finally {
      this.#stopListening?.();
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers = [];
      this.#tasks = [];
      if (this.#exitCode !== 0) process.exitCode = withReported(this.#exitCode);
      if (this.#signalled || processExit.isRequested) processExit.requestExit(this.#exitCode);
      processExit.release(this);
    }
  }

  /** Ends all tasks gracefully: what was queued is played out. Does not wait. */
  end(): void {
    for (const task of this.#tasks) task.stopWhenDone();
  }

  /** Ends all tasks now. Does not wait. */
  cancel(reason?: string): void {
    for (const task of this.#tasks) task.cancel(reason);
  }

  async #runAll(tasks: readonly PipelineTask[]): Promise<readonly PipelineResult[]> {
    const runs = tasks.map((task) => task.run());
    try {
      return await Promise.all(runs);
    } catch (misuse) {
      this.cancel('another task could not be run');
      await Promise.allSettled(runs);
      throw misuse;
    }
  }

  readonly #listener: ExitListener = {
    onSignal: (signal) => {
      if (this.#shuttingDown) {
        this.#forceExit(signal);
        return;
      }
      this.#logger.info({ signal }, 'shutting down');
      this.#shutDown(this.#onSignal, signal);
    },
    onUncaught: (error) => {
      this.#logger.error({ error }, 'an error was not caught');
      this.#raiseExitCode(1);
      if (!this.#shuttingDown) this.#shutDown('cancel', 'uncaught error');
    },
    // otherwise the process would exit without the exit hooks of what still runs
    onBeforeExit: () => this.cancel('nothing is left to wait for'),
  };

  #shutDown(how: 'cancel' | 'end', reason: string): void {
    this.#shuttingDown = true;
    this.#signalled = true;
    processExit.requestExit(this.#exitCode);
    const reserveMs = Math.min(2_000, this.#budgetMs / 4);
    // exit hooks have the time between the two, even when a processor hangs
    const forceMs = how === 'end' ? this.#budgetMs - reserveMs / 2 : this.#budgetMs / 2;
    const hooksEndMs = this.#budgetMs - reserveMs / 4;
    if (how === 'end') {
      this.end();
      this.#after(this.#budgetMs - reserveMs, () => this.cancel(`${reason}: the end took too long`));
    } else {
      this.cancel(reason);
    }
    this.#after(forceMs, () => this.#forceShutdown(hooksEndMs - forceMs));
    this.#after(this.#budgetMs, () => {
      this.#logger.error({ budgetMs: this.#budgetMs }, 'the shutdown took too long');
      processExit.forceExit(Math.max(this.#exitCode, 3));
    });
  }

  #forceShutdown(leftMs: number): void {
    for (const task of this.#tasks) task.forceShutdown(leftMs);
  }

  /** A second signal: exit hooks begin, even when a processor hangs, and the process exits soon after. */
  #forceExit(signal: ExitSignal): void {
    this.cancel(signal);
    this.#forceShutdown(forcedExitMs);
    const code = exitCodeOf(signal);
    this.#exitCode = code;
    this.#after(forcedExitMs, () => processExit.forceExit(code));
  }

  #raiseExitCode(code: number): void {
    this.#exitCode = Math.max(this.#exitCode, code);
  }

  #after(ms: number, action: () => void): void {
    this.#timers.push(setTimeout(action, ms));
  }
}

/** Checks methods, not the class: the task may be of another copy of the package. */
function checkTask(task: PipelineTask): void {
  if (typeof task?.run === 'function' && typeof task.forceShutdown === 'function') return;
  throw new InvalidOptionError('tasks', 'PipelineTasks, each an argument of its own', task);
}
