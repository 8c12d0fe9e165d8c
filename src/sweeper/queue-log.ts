import { type Logger, stderrLogger, unfailing } from '../logger.ts';
import { checkLogger } from '../option-checks.ts';
import type { QueueAddress } from './load-bullmq.ts';
import { withoutRedisSecrets } from './redis-url.ts';

/** Logs how Redis and the queue are: each news once, nothing after the end, and no secret. */
export class QueueLog {
  readonly #address: QueueAddress;
  readonly #logger: Logger;
  /** Why Redis is away, as far as it was told; empty when it is there. */
  readonly #told = new Set<string>();
  #hasComplained = false;

  /** @throws {InvalidOptionError} The logger is none. */
  constructor(address: QueueAddress, logger: Logger = stderrLogger) {
    checkLogger('logger', logger);
    this.#address = address;
    this.#logger = unfailing(logger);
  }

  away(error?: Error): void {
    const fields = error === undefined ? {} : { error: this.#tellable(error) };
    const why = fields.error?.message ?? '';
    const isKnown = this.#told.has(why) || (error === undefined && this.#told.size > 0);
    if (isKnown || this.#address.stopped.aborted) return;
    this.#told.add(why);
    this.#logger.warn(fields, 'Redis is away; rooms are looked at again when it is back');
  }

  back(): void {
    if (this.#told.size > 0) this.#logger.warn({}, 'Redis is back');
    this.#told.clear();
  }

  /** Once for each pass: what is wrong with one job is wrong with many. */
  failed(error: Error): void {
    if (this.#hasComplained || this.#address.stopped.aborted) return;
    this.#hasComplained = true;
    this.#logger.warn({ error: this.#tellable(error) }, 'the queue failed; looks it has lost are made again');
  }

  passBegins(): void {
    this.#hasComplained = false;
  }

  #tellable(error: Error): Error {
    return withoutRedisSecrets(error, this.#address.redisUrl);
  }
}
