import { InvalidOptionError } from '../lib/errors.ts';

/**
 * An option that the environment may hold instead.
 *
 * @param given What the call says; `undefined` where it says nothing.
 * @throws {InvalidOptionError} It is empty, or neither here nor there; never quoted, as it may be a secret.
 */
export function givenOrEnv(option: string, given: unknown, variable: string): string {
  const value = given ?? process.env[variable];
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError(option, `a non-empty string, or ${variable} be set in the environment`);
}
