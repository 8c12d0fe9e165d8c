/** What the address of a Redis must be, and what of it must never be told. */

import { EndframeError, InvalidOptionError } from '../errors.ts';
import { networkErrorCode } from '../rooms/network-error-code.ts';
import { cut, redact } from '../rooms/redact.ts';
import { textOf } from '../text-of.ts';

/** @throws {InvalidOptionError} It is none. Never quoted: it may hold a password. */
export function checkRedisUrl(option: string, value: unknown): asserts value is string {
  try {
    if (typeof value === 'string' && /^(rediss?:\/\/|\/)/i.test(value)) {
      secretsOf(value);
      return;
    }
  } catch {
    // neither a port nor an escape that could be read
  }
  throw new InvalidOptionError(
    option,
    'a URL such as redis://localhost:6379 or rediss://user:password@host:6379/0',
  );
}

/** An error of our own, without the commands and the password that those of a Redis client carry. */
export function withoutRedisSecrets(thrown: unknown, redisUrl: string): Error {
  if (thrown instanceof EndframeError) return thrown;
  const text = textOf(thrown) || `no answer (${networkErrorCode(thrown)})`;
  return new Error(cut(secretsOf(redisUrl).reduce((rest, secret) => redact(rest, secret), redact(text))));
}

/** The password, as it is and as it is written. */
function secretsOf(redisUrl: string): string[] {
  const { username, password, searchParams } = new URL(redisUrl, 'redis://localhost');
  decodeURIComponent(username);
  const all = [decodeURIComponent(password), password, searchParams.get('password')];
  return all.filter((secret) => secret !== null && secret !== '') as string[];
}
