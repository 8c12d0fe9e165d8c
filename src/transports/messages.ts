/** Encodes and parses data messages: JSON, text or bytes. */

import { InvalidOptionError } from '../lib/errors.ts';

/**
 * Maximum length of a message. LiveKit refuses packets above 64,000 bytes, including sender and recipients; it
 * recommends at most 15 KiB, as some clients take no more.
 *
 * @see https://docs.livekit.io/transport/data/packets, "Size limits"
 */
const maxBytes = 63_000;

/** @returns The JSON object that `data` holds; `undefined` for anything else. */
export function parseMessage(data: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Encodes a message: strings as UTF-8, bytes unchanged, everything else as JSON.
 *
 * @throws {InvalidOptionError} It has more than 63,000 bytes, or JSON cannot express it.
 */
export function encodeMessage(message: unknown): Uint8Array {
  const data = message instanceof Uint8Array ? message : new TextEncoder().encode(textOfMessage(message));
  if (data.length <= maxBytes) return data;
  throw new InvalidOptionError('message', `at most ${maxBytes} bytes`, data.length);
}

function textOfMessage(message: unknown): string {
  if (typeof message === 'string') return message;
  const json: string | undefined = JSON.stringify(message);
  if (json !== undefined) return json;
  throw new InvalidOptionError('message', 'text, bytes, or what JSON can express', message);
}
