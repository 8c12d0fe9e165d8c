import type { IncomingMessage, RequestOptions } from 'node:http';
import type { SendHttp } from './http-exchange.ts';
import { type ResponseBody, toBody } from './response-body.ts';

/** By `node:http`, which a new process loads in a third of the time and the memory that `fetch` takes. */
export const sendByHttp: SendHttp = async ({ url, headers, body, signal }) => {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const options: RequestOptions = { method: 'POST', headers, signal };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end(body);
  });
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return typeof value === 'string' ? value : null;
    },
    readBody: async (maxBytes) => {
      const message = await readMessage(response, maxBytes);
      return decode(message, response.headers['content-encoding'] ?? '', maxBytes);
    },
  };
};

interface Message {
  readonly bytes: Buffer;
  /** Whether these are all of them. */
  readonly complete: boolean;
}

/** As `readBody` does it for `fetch`. */
async function readMessage(response: IncomingMessage, maxBytes: number): Promise<Message> {
  const chunks: Buffer[] = [];
  let room = maxBytes;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, room));
      room -= chunk.byteLength;
      // leaving the loop destroys the response, and with it the connection
      if (room < 0) break;
    }
  } catch {
    room = -1;
  }
  return { bytes: Buffer.concat(chunks), complete: room >= 0 && response.complete };
}

/** Takes off what a proxy has compressed although nobody asked it to; codings nobody knows stay, as with `fetch`. */
async function decode(
  { bytes, complete }: Message,
  codings: string,
  maxBytes: number,
): Promise<ResponseBody> {
  let decoded = bytes;
  try {
    // in the order in which they were put on
    for (const coding of codings.split(',').reverse()) {
      decoded = await decodeOne(decoded, coding.trim().toLowerCase(), maxBytes);
    }
    return toBody(decoded, complete);
  } catch {
    return { text: '', complete: false };
  }
}

async function decodeOne(bytes: Buffer, coding: string, maxOutputLength: number): Promise<Buffer> {
  if (!['gzip', 'x-gzip', 'deflate', 'br'].includes(coding)) return bytes;
  const [zlib, { promisify }] = await Promise.all([import('node:zlib'), import('node:util')]);
  if (coding === 'br') return promisify(zlib.brotliDecompress)(bytes, { maxOutputLength });
  // some servers send deflate without zlib's header, whose first byte ends in 8
  const isBare = coding === 'deflate' && ((bytes[0] ?? 0) & 0x0f) !== 8;
  return promisify(isBare ? zlib.inflateRaw : zlib.unzip)(bytes, { maxOutputLength });
}
