/** Messages as LiveKit carries them: bytes; as others write them: JSON. */

import { InvalidOptionError } from '../lib/errors.ts';

/**
 * How long a message may be. LiveKit refuses packets above 64 000 bytes, of which some hold who it is from and for.
 * It recommends 15 KiB (15 360 bytes) at most: not every client takes more.
 *
 * @see https://docs.livekit.io/transport/data/packets, "Size limits"
 */
const longestBytes = 63_000;

/** @returns The JSON object that was sent; `undefined` for anything else. */
export function parseMessage(data: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Text and bytes go as they are, everything else as JSON.
 *
 * @throws {InvalidOptionError} It is too long, or nothing that JSON can express.
 */
export function encodeMessage(message: unknown): Uint8Array {
  const data = message instanceof Uint8Array ? message : new TextEncoder().encode(textOfMessage(message));
  if (data.length <= longestBytes) return data;
  throw new InvalidOptionError('message', `at most ${longestBytes} bytes`, data.length);
}

function textOfMessage(message: unknown): string {
  if (typeof message === 'string') return message;
  const json: string | undefined = JSON.stringify(message);
  if (json !== undefined) return json;
  throw new InvalidOptionError('message', 'text, bytes, or what JSON can express', message);
}
