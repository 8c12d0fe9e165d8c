import type { Logger } from '../logger.ts';
import { checkLimitMs } from '../option-checks.ts';
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

/** What is to be done at the end of a run, whatever its end: each once, in reverse order, within its limit. */
export class ExitHooks {
  readonly #logger: Logger;
  #hooks: RegisteredHook[] = [];
  /** Set once they run. */
  #result: PipelineResult | undefined;
  #hurry = new AbortController();
  #exitCode = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The highest exit code that a hook has reported so far. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** @throws {InvalidOptionError} `timeoutMs` is no limit. */
  add(name: string, hook: ExitHook, { timeoutMs = 10_000 }: ExitHookOptions = {}): void {
    checkLimitMs('timeoutMs', timeoutMs);
    const registered = { name, hook, timeoutMs };
    // a setup() that was given up may register its hook when the run is over
    if (this.#result !== undefined) void this.#runOne(registered, this.#result);
    else this.#hooks.push(registered);
  }

  /** Aborts the signal of the running hook, and of those that follow: time is up. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Never rejects. A second call finds nothing to do. */
  async run(result: PipelineResult): Promise<void> {
    this.#result = result;
    const hooks = this.#hooks.reverse();
    this.#hooks = [];
    for (const hook of hooks) await this.#runOne(hook, result);
  }

  /** What is no exit code must not pass for success. */
  #codeOf(hook: string, { exitCode }: ExitReport): number {
    if (Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255) return exitCode;
    this.#logger.error({ hook, exitCode }, 'an exit hook reported what is no exit code; it counts as 1');
    return 1;
  }

  async #runOne({ name, hook, timeoutMs }: RegisteredHook, result: PipelineResult): Promise<void> {
    const late = new AbortController();
    const abort = (): void => late.abort();
    const timer = setTimeout(abort, timeoutMs);
    // not AbortSignal.any(): Node never forgets such a signal as long as it has a listener
    this.#hurry.signal.addEventListener('abort', abort);
    if (this.#hurry.signal.aborted) abort();
    const { signal } = late;
    try {
      const work = Promise.resolve(hook({ result, signal })).then((report) => {
        if (report) this.#exitCode = Math.max(this.#exitCode, this.#codeOf(name, report));
      });
      work.catch(() => {});
      const graceMs = 100;
      const abandoned = new Promise<never>((_, reject) => {
        const abandon = (): void =>
          void setTimeout(() => reject(new Error('it did not end in time')), graceMs);
        if (signal.aborted) abandon();
        else signal.addEventListener('abort', abandon, { once: true });
      });
      abandoned.catch(() => {});
      await Promise.race([work, abandoned]);
    } catch (error) {
      this.#logger.error({ hook: name, error }, 'an exit hook failed');
    } finally {
      clearTimeout(timer);
    }
  }
}
