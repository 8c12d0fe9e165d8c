/** What a FakeLiveKitServer can be ordered to do wrong. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { WireAnswer } from './fake-wire.ts';

/**
 * One way to fail.
 *
 * With `acts: true` the server carries the request out and only the answer is lost or bent; by default it
 * does nothing of what was asked.
 */
export type FakeFault = { readonly acts?: boolean } & (
  | { readonly kind: 'delay'; readonly ms: number }
  /** Takes the request and never answers. */
  | { readonly kind: 'silence' }
  /** Sends the headers and never the body. */
  | { readonly kind: 'stall' }
  /** Breaks the connection with a TCP reset. */
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Promises more bytes than come, then breaks the connection. */
  | { readonly kind: 'half-body' }
  /** A body without an end, as fast as it is read. */
  | { readonly kind: 'endless-body' }
  /** One byte after the other. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: 301 | 302 | 303 | 307 | 308 }
  /** As a proxy that compresses, whatever is asked for. */
  | { readonly kind: 'compressed'; readonly coding: 'gzip' | 'deflate' | 'br' }
  /** Bytes that are no HTTP. */
  | { readonly kind: 'garbage' }
);

/** Which requests get a fault. */
export interface FaultOrder {
  /** How many. Default all, until `heal()`. */
  readonly times?: number;
  /** Only this Twirp method, such as `DeleteRoom`. Default any request. */
  readonly method?: string;
}

const compress = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

/** True when the request is carried out: by default for `delay`, `drip` and `compressed`. */
export function actsAnyway({ acts, kind }: FakeFault): boolean {
  return acts ?? (kind === 'delay' || kind === 'drip' || kind === 'compressed');
}

/** Fails as ordered; `answer` is what the healthy server would say, or a stand-in where it did not act. */
export function applyFault(
  fault: FakeFault,
  answer: WireAnswer,
  request: IncomingMessage,
  response: ServerResponse,
  send: (answer: WireAnswer) => void,
): void {
  const { socket } = request;
  const ok = { 'content-type': 'application/json' };
  switch (fault.kind) {
    case 'delay': {
      const timer = setTimeout(() => send(answer), fault.ms);
      socket.once('close', () => clearTimeout(timer));
      return;
    }
    case 'silence':
      return;
    case 'stall':
      response.writeHead(200, { ...ok, 'content-length': '2' }).flushHeaders();
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'status':
      send({ status: fault.status, headers: { ...fault.headers }, body: fault.body ?? '' });
      return;
    case 'half-body':
      response.writeHead(200, { ...ok, 'content-length': '1000' });
      response.write('{"half":', () => socket.destroy());
      return;
    case 'endless-body':
      response.writeHead(200, ok);
      pour(response);
      return;
    case 'drip':
      drip(answer, fault.everyMs, response);
      return;
    case 'redirect':
      send({ status: fault.status ?? 302, headers: { location: fault.location }, body: '' });
      return;
    case 'compressed': {
      const headers = { ...answer.headers, 'content-encoding': fault.coding };
      send({ ...answer, headers, body: compress[fault.coding](answer.body) });
      return;
    }
    case 'garbage':
      socket.end('\x16\x03\x01 this is not HTTP\r\n\r\n');
  }
}

function pour(response: ServerResponse): void {
  const chunk = ' '.repeat(65_536);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk)) {
      // as long as somebody reads
    }
  };
  response.on('drain', more);
  more();
}

function drip({ status, headers, body }: WireAnswer, everyMs: number, response: ServerResponse): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) response.end();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}
