/** Faults that can be injected into a FakeLiveKitServer. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { WireAnswer } from './fake-wire.ts';

/**
 * One fault.
 *
 * With `acts: true` the server executes the request and only the response is lost or changed; by default it does not
 * execute it.
 */
export type FakeFault = { readonly acts?: boolean } & (
  | { readonly kind: 'delay'; readonly ms: number }
  /** Accepts the request and never responds. */
  | { readonly kind: 'silence' }
  /** Sends the headers and never the body. */
  | { readonly kind: 'stall' }
  /** Resets the TCP connection. */
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Declares more bytes than it sends, then closes the connection. */
  | { readonly kind: 'half-body' }
  /** A body without an end, as fast as it is read. */
  | { readonly kind: 'endless-body' }
  /** One byte after the other. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: 301 | 302 | 303 | 307 | 308 }
  /** Compresses like a proxy that ignores `Accept-Encoding`. */
  | { readonly kind: 'compressed'; readonly coding: 'gzip' | 'deflate' | 'br' }
  /** Bytes that are not HTTP. */
  | { readonly kind: 'garbage' }
);

/** The requests that get a fault. */
export interface FaultOrder {
  /** Number of requests. Default all, until `heal()`. */
  readonly times?: number;
  /** Only this Twirp method, such as `DeleteRoom`. Default any request. */
  readonly method?: string;
}

const compress = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

/** True when the request is executed: by default for `delay`, `drip` and `compressed`. */
export function actsAnyway({ acts, kind }: FakeFault): boolean {
  return acts ?? (kind === 'delay' || kind === 'drip' || kind === 'compressed');
}

/** Responds with the fault; `answer` is the healthy response, or a placeholder where the request was not executed. */
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
      // until the socket's buffer is full
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
