import { isUtf8 } from 'node:buffer';

/** What could be read of an answer's body. */
export interface ResponseBody {
  readonly text: string;
  /** False when it was longer than allowed, when the connection broke on the way, or when it is no UTF-8. */
  readonly complete: boolean;
}

/**
 * Reads at most `maxBytes` and gives the connection up when there is more.
 *
 * Never rejects: a body that breaks off is what was read so far.
 */
export async function readBody(response: Response, maxBytes: number): Promise<ResponseBody> {
  if (response.body === null) return { text: '', complete: true };
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  let complete = false;
  try {
    while (room >= 0) {
      const { done, value } = await reader.read();
      if (done) {
        complete = true;
        break;
      }
      chunks.push(value.subarray(0, room));
      room -= value.byteLength;
    }
  } catch {
    // the status line has arrived and counts; what is missing shows in `complete`
  }
  if (!complete) reader.cancel().catch(() => {});
  return toBody(Buffer.concat(chunks), complete);
}

/** @param complete Whether these bytes are all of them. */
export function toBody(bytes: Buffer, complete: boolean): ResponseBody {
  return { text: bytes.toString('utf8'), complete: complete && isUtf8(bytes) };
}
