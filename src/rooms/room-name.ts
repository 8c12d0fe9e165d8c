import { InvalidOptionError } from '../lib/errors.ts';

const maxBytes = 256;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Refuses a name that LiveKit could only answer with "not found" or "malformed".
 *
 * Whatever passes is sent as it is: LiveKit tells apart case, spaces and Unicode forms.
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
