/** Messages as LiveKit carries them: bytes; as others write them: JSON. */

/** @returns The JSON object that was sent; `undefined` for anything else. */
export function parseMessage(data: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Text and bytes go as they are, everything else as JSON. */
export function encodeMessage(message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message;
  return new TextEncoder().encode(typeof message === 'string' ? message : JSON.stringify(message));
}
