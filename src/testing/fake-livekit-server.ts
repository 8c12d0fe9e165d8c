/** A fake LiveKit server: the REST API of its room service in this process, with faults on demand. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { answer, methodOf, type RoomServiceState } from './fake-room-service.ts';
import {
  type FakeParticipant,
  type FakeParticipantOptions,
  type FakeRoom,
  type FakeRoomOptions,
  FakeRooms,
} from './fake-rooms.ts';
import type { FakeLiveKitVersion } from './fake-tokens.ts';
import type { WireAnswer, WireRequest } from './fake-wire.ts';

/** A request that was received. */
export interface FakeRequest {
  /** The HTTP method. */
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The Twirp method, such as `DeleteRoom`. */
  readonly call: string | undefined;
  /** The headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body. */
  readonly body: string;
  /** Milliseconds since 1970, of this machine's clock. */
  readonly atMs: number;
  /** Number of the connection: requests with the same number shared one. */
  readonly connection: number;
  /** The fault that was injected, if any. */
  readonly fault: FakeFault['kind'] | undefined;
}

/** Events of a {@link FakeLiveKitServer}. */
export interface FakeLiveKitServerEvents {
  /** A request has been received. */
  request: (request: FakeRequest) => void;
}

/** Options of a {@link FakeLiveKitServer}. */
export interface FakeLiveKitServerOptions {
  /** Default `'fake-key'`. */
  readonly apiKey?: string;
  /** Default: a random one. */
  readonly apiSecret?: string;
  /** HTTP port. Default: a free one. */
  readonly port?: number;
  /** Whether joining creates a room. Default true. */
  readonly autoCreate?: boolean;
  /** Offset of the server's clock, in milliseconds. Default 0. */
  readonly clockOffsetMs?: number;
  /** The LiveKit version to imitate. Default `'1.13'`. */
  readonly version?: FakeLiveKitVersion;
}

interface OrderedFault {
  readonly fault: FakeFault;
  readonly method: string | undefined;
  left: number;
}

/**
 * LiveKit's room service in this process: its REST API, with rooms and participants in memory, and injected faults.
 *
 * Tokens and grants are checked, and responses worded, as by LiveKit 1.13 or 1.9; one contract suite runs against both
 * and the fake. The versions differ in the messages for refused tokens, in whether a token may be signed with HS384 or
 * HS512, have dates as strings or be issued in the future, in the limit of a room's metadata, and in the message for an
 * unknown participant. It has no media and no signalling: participants are simulated by {@link join}. Empty rooms do
 * not close, and `num_participants` is exact, where the real one is seconds late.
 *
 * @example
 * await using server = await FakeLiveKitServer.start();
 * server.fail({ kind: 'status', status: 503 }, { times: 2, method: 'DeleteRoom' });
 * const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl });
 */
export class FakeLiveKitServer extends SafeEventEmitter<FakeLiveKitServerEvents> implements AsyncDisposable {
  /** For clients: `ws:`. */
  readonly url: string;
  /** For the REST API: `http:`. */
  readonly httpUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly #server: Server;
  readonly #state: RoomServiceState;
  readonly #autoCreate: boolean;
  readonly #requests: FakeRequest[] = [];
  readonly #connections = new Map<Socket, number>();
  #connectionCount = 0;
  #faults: OrderedFault[] = [];
  #stopped: Promise<void> | undefined;
  /** Offset of the clock for tokens and the `Date` header, in milliseconds. */
  clockOffsetMs: number;

  private constructor(server: Server, options: Required<FakeLiveKitServerOptions>) {
    super();
    this.#server = server;
    this.httpUrl = `http://127.0.0.1:${options.port}`;
    this.url = `ws://127.0.0.1:${options.port}`;
    this.apiKey = options.apiKey;
    this.apiSecret = options.apiSecret;
    this.clockOffsetMs = options.clockOffsetMs;
    this.#autoCreate = options.autoCreate;
    const keys = { [this.apiKey]: this.apiSecret };
    const now = (): number => Date.now() + this.clockOffsetMs;
    this.#state = { rooms: new FakeRooms(), keys, now, version: options.version };
    server.on('connection', (socket) => {
      this.#connectionCount += 1;
      this.#connections.set(socket, this.#connectionCount);
      socket.once('close', () => this.#connections.delete(socket));
      socket.on('error', () => {});
    });
    server.on('request', (request, response) => {
      this.#receive(request, response).catch(() => request.socket.destroy());
    });
  }

  /** Starts one on loopback. */
  static async start({
    apiKey = 'fake-key',
    apiSecret = randomBytes(32).toString('hex'),
    port = 0,
    autoCreate = true,
    clockOffsetMs = 0,
    version = '1.13',
  }: FakeLiveKitServerOptions = {}): Promise<FakeLiveKitServer> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const bound = (server.address() as AddressInfo).port;
    const options = { apiKey, apiSecret, port: bound, autoCreate, clockOffsetMs, version };
    return new FakeLiveKitServer(server, options);
  }

  /** All requests so far, including their tokens. */
  get requests(): readonly FakeRequest[] {
    return this.#requests;
  }

  /** The current rooms. */
  get rooms(): readonly FakeRoom[] {
    return this.#state.rooms.all();
  }

  /** The room of that name, if any. */
  room(name: string): FakeRoom | undefined {
    return this.#state.rooms.get(name);
  }

  /** Creates a room, or returns the existing one unchanged. */
  createRoom(name: string, options?: FakeRoomOptions): FakeRoom {
    return this.#state.rooms.create(name, { creationTimeMs: this.#state.now(), ...options });
  }

  /** Deletes a room without a request; false when there is none. */
  deleteRoom(name: string): boolean {
    return this.#state.rooms.delete(name, 'ROOM_DELETED');
  }

  /**
   * Adds a participant. One with the same identity is disconnected with `DUPLICATE_IDENTITY`.
   *
   * @throws {Error} There is no such room, and `autoCreate` is false.
   */
  join(room: string, identity: string, options?: FakeParticipantOptions): FakeParticipant {
    if (!this.#autoCreate && this.room(room) === undefined) throw new Error(`no room "${room}" to join`);
    return this.#state.rooms.join(this.createRoom(room), identity, this.#state.now(), options);
  }

  /** Injects a fault into the next requests. Several are used up one after the other. */
  fail(fault: FakeFault, { times = Number.POSITIVE_INFINITY, method }: FaultOrder = {}): void {
    this.#faults.push({ fault, method, left: times });
  }

  /** Removes all faults. */
  heal(): void {
    this.#faults = [];
  }

  /** Closes all connections, disconnects all participants, and frees the port. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#connections.keys()) socket.destroy();
    for (const { name } of this.rooms) this.#state.rooms.delete(name, 'SERVER_SHUTDOWN');
    await closed;
  }

  async #receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers, socket } = incoming;
    const request: WireRequest = { method, url, headers, body: Buffer.concat(chunks) };
    const call = methodOf(url);
    const fault = this.#nextFault(call);
    const logged: FakeRequest = {
      method,
      url,
      call,
      headers,
      body: request.body.toString(),
      atMs: Date.now(),
      connection: this.#connections.get(socket) ?? 0,
      fault: fault?.kind,
    };
    this.#requests.push(logged);
    this.emit('request', logged);
    const send = (what: WireAnswer): void => this.#send(what, response);
    if (fault === undefined) return send(answer(request, this.#state));
    const acts = actsAnyway(fault);
    applyFault(fault, acts ? answer(request, this.#state) : nothing, incoming, response, send);
  }

  #nextFault(call: string | undefined): FakeFault | undefined {
    const order = this.#faults.find(({ method }) => method === undefined || method === call);
    if (order === undefined) return undefined;
    order.left -= 1;
    if (order.left <= 0) this.#faults = this.#faults.filter((other) => other !== order);
    return order.fault;
  }

  #send({ status, headers, body }: WireAnswer, response: ServerResponse): void {
    const date = new Date(this.#state.now()).toUTCString();
    const length = String(Buffer.byteLength(body));
    response.writeHead(status, { vary: 'Origin', date, 'content-length': length, ...headers }).end(body);
  }
}

const nothing: WireAnswer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

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
