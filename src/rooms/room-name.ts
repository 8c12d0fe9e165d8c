/** Names of rooms: what LiveKit accepts, and generated ones that are unique: `endframe-` and 128 random bits. */

import { randomBytes } from 'node:crypto';
import { InvalidOptionError } from '../lib/errors.ts';

const maxBytes = 256;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Refuses a name that LiveKit could only answer with "not found" or "malformed".
 *
 * A valid name is sent unchanged: LiveKit distinguishes case, spaces and Unicode forms.
 *
 * @throws {InvalidOptionError} The name is empty, above 256 bytes of UTF-8, or not well-formed Unicode.
 */
export function checkRoomName(roomName: unknown, option = 'roomName'): asserts roomName is string {
  const fits = typeof roomName === 'string' && roomName !== '' && Buffer.byteLength(roomName) <= maxBytes;
  if (fits && !loneSurrogate.test(roomName)) return;
  throw new InvalidOptionError(
    option,
    `a non-empty, well-formed string of at most ${maxBytes} bytes`,
    roomName,
  );
}

const generated = /endframe-[0-9a-f]{32}$/;

/** @param prefix Put before it, for people and for sweepers of a part of the rooms. */
export function generateRoomName(prefix = ''): string {
  return `${prefix}endframe-${randomBytes(16).toString('hex')}`;
}

/**
 * Whether a name was generated, with any prefix.
 *
 * The word before the digits distinguishes it from other names with 32 hexadecimal digits.
 */
export function isGeneratedRoomName(name: string): boolean {
  return generated.test(name);
}
