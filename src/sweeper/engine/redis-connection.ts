/** The address and the connections of Redis: checked, watched and logged, without their secrets. */

import { EndframeError, errorMessage, InvalidOptionError } from '../../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../../lib/logger.ts';
import { checkLogger } from '../../lib/options.ts';
import { networkErrorCode, redact, truncate } from '../../rooms/rest/rest-error.ts';
import type { QueueAddress, Redis } from './load-bullmq.ts';

/** @throws {InvalidOptionError} No address of a Redis. The value is never quoted: it may contain a password. */
export function checkRedisUrl(option: string, value: unknown): asserts value is string {
  try {
    if (typeof value === 'string' && /^(rediss?:\/\/|\/)/i.test(value)) {
      secretsOf(value);
      return;
    }
  } catch {
    // an invalid port or escape
  }
  throw new InvalidOptionError(
    option,
    'a URL such as redis://localhost:6379 or rediss://user:password@host:6379/0',
  );
}

/** A new error, without the commands and the password that those of a Redis client carry. */
export function withoutRedisSecrets(thrown: unknown, redisUrl: string): Error {
  if (thrown instanceof EndframeError) return thrown;
  const text = errorMessage(thrown) || `no answer (${networkErrorCode(thrown)})`;
  return new Error(
    truncate(secretsOf(redisUrl).reduce((rest, secret) => redact(rest, secret), redact(text))),
  );
}

/** The password, decoded and as written. */
function secretsOf(redisUrl: string): string[] {
  const { username, password, searchParams } = new URL(redisUrl, 'redis://localhost');
  decodeURIComponent(username);
  const all = [decodeURIComponent(password), password, searchParams.get('password')];
  return all.filter((secret) => secret !== null && secret !== '') as string[];
}

/** The connections of one engine: logs once when they are lost, and once when all are back. */
export class RedisConnections {
  readonly #address: QueueAddress;
  readonly #logger: Logger;
  readonly #connections: Redis[] = [];
  /** The logged reasons of the current outage; empty when there is none. */
  readonly #reasons = new Set<string>();
  #hasLoggedFailure = false;

  /** @throws {InvalidOptionError} The logger lacks methods. */
  constructor(address: QueueAddress, logger: Logger = stderrLogger) {
    checkLogger('logger', logger);
    this.#address = address;
    this.#logger = safeLogger(logger);
  }

  /** By the state of the connections alone: BullMQ's errors about jobs do not say whether Redis is reachable. */
  get isAway(): boolean {
    return this.#connections.some(({ status }) => status !== 'ready');
  }

  add(connection: Redis): void {
    this.#connections.push(connection);
    connection.on('error', (error) => this.#lost(error));
    connection.on('close', () => this.#lost());
    connection.on('ready', () => {
      if (!this.isAway) this.#restored();
    });
  }

  /** Logs an error of the queue, once in a pass; nothing while Redis is away. */
  queueFailed(error: Error): void {
    if (this.isAway || this.#hasLoggedFailure || this.#address.stopped.aborted) return;
    this.#hasLoggedFailure = true;
    this.#logger.warn({ error: this.#clean(error) }, 'queue error; lost probes are repeated');
  }

  passBegins(): void {
    this.#hasLoggedFailure = false;
  }

  #lost(error?: Error): void {
    const fields = error === undefined ? {} : { error: this.#clean(error) };
    const reason = fields.error?.message ?? '';
    const isKnown = this.#reasons.has(reason) || (error === undefined && this.#reasons.size > 0);
    if (isKnown || this.#address.stopped.aborted) return;
    this.#reasons.add(reason);
    this.#logger.warn(fields, 'Redis is away; probing resumes when it is back');
  }

  #restored(): void {
    if (this.#reasons.size > 0) this.#logger.warn({}, 'Redis is back');
    this.#reasons.clear();
  }

  #clean(error: Error): Error {
    return withoutRedisSecrets(error, this.#address.redisUrl);
  }
}
