/** LiveKit's address, and options that the environment may hold instead. */

import { InvalidOptionError } from '../../lib/errors.ts';

/** Pipecat's default. */
export const placeholderUrl = 'https://your-livekit-host.com';

/** Why nothing is sent to this address; `undefined` for a real one. The owner of the placeholder would get a token. */
export function refusalOf(baseUrl: string): string | undefined {
  return baseUrl === placeholderUrl ? `nothing was sent: apiUrl was not set (${placeholderUrl})` : undefined;
}

const userInfo = /^[^/\\]*:[/\\]*[^/\\?#]*@/;

/**
 * The base that Twirp paths are appended to: `ws` and `wss` become `http` and `https`, trailing slashes go,
 * a base path stays.
 *
 * A `?` or `#` would turn the appended path into a query, which LiveKit's health page answers with 200.
 *
 * @throws {InvalidOptionError} Anything else than an http, https, ws or wss URL, or one with credentials, a
 *   query or a fragment. The value is not quoted: it may hold credentials.
 */
export function restBaseUrl(apiUrl: unknown, option = 'apiUrl'): string {
  const refuse = (expected: string): never => {
    throw new InvalidOptionError(option, expected);
  };
  const url = typeof apiUrl === 'string' ? parse(apiUrl) : undefined;
  if (typeof apiUrl !== 'string' || url === undefined) {
    return refuse('an absolute URL, such as wss://my-project.livekit.cloud');
  }
  if (!/^(http|ws)s?:$/.test(url.protocol)) return refuse('an http, https, ws or wss URL');
  if (userInfo.test(apiUrl)) return refuse('a URL without user name and password');
  if (/[?#]/.test(apiUrl)) return refuse('a URL without query and fragment');
  const scheme = url.protocol.replace('ws', 'http');
  return `${scheme}//${url.host}${url.pathname}`.replace(/\/*$/, '');
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

/**
 * An option that the environment may hold instead.
 *
 * @param given The option; `undefined` where it is not set.
 * @throws {InvalidOptionError} It is empty, or neither here nor there; never quoted, as it may be a secret.
 */
export function givenOrEnv(option: string, given: unknown, variable: string): string {
  const value = given ?? process.env[variable];
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError(option, `a non-empty string, or ${variable} be set in the environment`);
}
