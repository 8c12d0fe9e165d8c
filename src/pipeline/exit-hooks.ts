/** Runs the exit hooks of a run. */

import type { Logger } from '../lib/logger.ts';
import { checkDurationMs, checkFunction, checkNames, checkOptions } from '../lib/options.ts';
import { withTimeout } from '../lib/timeout.ts';
import type {
  ExitHook,
  ExitHookOptions,
  ExitReport,
  PipelineResult,
} from '../processors/frame-processor-setup.ts';

interface RegisteredHook {
  readonly name: string;
  readonly hook: ExitHook;
  readonly timeoutMs: number;
}

/** How long a hook may go on after its signal was aborted, in milliseconds. */
const graceMs = 100;

/**
 * Each hook runs once, in reverse order of registration.
 *
 * The limit of all of them together is the longest of their own limits. A hook starts when the one before it is done,
 * or has taken half of the time that was left; then both run concurrently. So every hook has time left, however many
 * hang.
 */
export class ExitHooks {
  readonly #logger: Logger;
  #hooks: RegisteredHook[] = [];
  /** Set when they start to run. */
  #result: PipelineResult | undefined;
  /** Aborts at the common limit. */
  readonly #timeUp = new AbortController();
  #deadlineMs = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopWaiting = (): void => {};
  /** Resolves when hooks are to run concurrently. */
  readonly #noWaiting: Promise<void> = new Promise((resolve) => {
    this.#stopWaiting = resolve;
  });
  #exitCode = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The highest exit code that a hook has reported so far. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** @throws {InvalidOptionError} The hook is no function, `timeoutMs` is no limit, or an option is unknown. */
  add(name: string, hook: ExitHook, options: ExitHookOptions = {}): void {
    checkFunction('hook', hook);
    checkOptions(options);
    checkNames(options, ['timeoutMs']);
    const { timeoutMs = 10_000 } = options;
    checkDurationMs('timeoutMs', timeoutMs);
    const registered = { name, hook, timeoutMs };
    // a setup() that exceeded its limit may register its hook after the run
    if (this.#result !== undefined) void this.#runOne(registered, this.#result);
    else this.#hooks.push(registered);
  }

  /** From now on hooks run concurrently, and have `leftMs` in all. */
  forceShutdown(leftMs: number): void {
    this.#limit(leftMs);
    this.#stopWaiting();
  }

  /** Never rejects; idempotent. */
  async run(result: PipelineResult): Promise<void> {
    this.#result = result;
    const hooks = this.#hooks.reverse();
    this.#hooks = [];
    const running: Promise<void>[] = [];
    this.#limit(Math.max(0, ...hooks.map(({ timeoutMs }) => timeoutMs)));
    for (const hook of hooks) {
      const work = this.#runOne(hook, result);
      running.push(work);
      const leftMs = Math.max(0, this.#deadlineMs - performance.now());
      await Promise.race([withTimeout(work, leftMs / 2), this.#noWaiting]);
    }
    await Promise.all(running);
    clearTimeout(this.#timer);
  }

  #limit(leftMs: number): void {
    const deadlineMs = performance.now() + leftMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#timer);
    if (leftMs > 0) this.#timer = setTimeout(() => this.#timeUp.abort(), leftMs);
    else this.#timeUp.abort();
  }

  /** Anything that is no exit code counts as 1: it must not count as success. */
  #codeOf(hook: string, { exitCode }: ExitReport): number {
    if (Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255) return exitCode;
    this.#logger.error({ hook, exitCode }, 'an exit hook returned an invalid exit code; it counts as 1');
    return 1;
  }

  async #runOne({ name, hook, timeoutMs }: RegisteredHook, result: PipelineResult): Promise<void> {
    const { signal, abandoned, release } = this.#timeLimit(timeoutMs);
    try {
      const work = Promise.resolve(hook({ result, signal })).then((report) => {
        if (report) this.#exitCode = Math.max(this.#exitCode, this.#codeOf(name, report));
      });
      work.catch(() => {});
      await Promise.race([work, abandoned]);
    } catch (error) {
      this.#logger.error({ hook: name, error }, 'an exit hook failed');
    } finally {
      release();
    }
  }

  /** @returns A signal that aborts at the hook's or the common limit, and a promise that rejects soon after. */
  #timeLimit(timeoutMs: number) {
    // not AbortSignal.any(): Node keeps such a signal alive as long as it has a listener
    const late = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    let abort = (): void => {};
    const abandoned = new Promise<never>((_, reject) => {
      abort = () => {
        if (late.signal.aborted) return;
        late.abort();
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error('it did not settle in time')), graceMs);
      };
      timer = setTimeout(abort, timeoutMs);
    });
    abandoned.catch(() => {});
    this.#timeUp.signal.addEventListener('abort', abort);
    if (this.#timeUp.signal.aborted) abort();
    const release = (): void => {
      clearTimeout(timer);
      this.#timeUp.signal.removeEventListener('abort', abort);
    };
    return { signal: late.signal, abandoned, release };
  }
}
