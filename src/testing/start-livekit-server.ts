/** Starts a real LiveKit server for tests. */

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidOptionError } from '../lib/errors.ts';
import { signToken } from '../rooms/rest/hs256.ts';
import { liveKitServerProgram, printProgress } from './livekit-server-program.ts';
import { type SupervisedProcess, startSupervised } from './supervised-process.ts';

/** A real LiveKit server to test against. */
export interface LiveKitServer extends AsyncDisposable {
  /** For clients, such as `ws://127.0.0.1:40123`. */
  readonly url: string;
  /** For the REST API: the same server. */
  readonly httpUrl: string;
  /** LiveKit's API key. */
  readonly apiKey: string;
  /** LiveKit's API secret. */
  readonly apiSecret: string;
  /** True for the server of `LIVEKIT_URL`, which may be shared and is not stopped by `stop()`. */
  readonly external: boolean;
  /** Process id; `undefined` for an external server. */
  readonly pid: number | undefined;
  /** Kills the server. Idempotent. */
  stop(): Promise<void>;
}

/** Part of the server's YAML configuration; every other setting of it is accepted too. */
export interface LiveKitServerConfig {
  /** HTTP port. Default: a free one. */
  readonly port?: number;
  /** API keys and their secrets; the first one is returned. Default: a random one. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Settings of rooms. */
  readonly room?: { readonly auto_create?: boolean; readonly [setting: string]: unknown };
  /** Any other setting of the server's configuration file. */
  readonly [setting: string]: unknown;
}

/** Options of {@link startLiveKitServer}. */
export interface StartLiveKitServerOptions {
  /** Merged into the defaults. With it `LIVEKIT_URL` is ignored: a running server keeps its own settings. */
  readonly config?: LiveKitServerConfig;
  /**
   * Exactly this version, such as `v1.9.11`, built with Go where it is not in the cache. With it `LIVEKIT_URL` and
   * PATH are ignored. Default: any on PATH, else the newest that can be built.
   */
  readonly version?: string;
  /** Called with a line every few seconds while the server is built. Default: printed to stderr. */
  readonly onProgress?: (message: string) => void;
  /** Called with each line of the server's log: warnings and errors, unless `config.logging.level` is lower. */
  readonly onLog?: (line: string) => void;
}

const startLimitMs = 20_000;
const attempts = 3;

/**
 * Starts a real LiveKit server on loopback, with free ports and its own keys.
 *
 * In this order: the server of `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`;
 * `livekit-server` on PATH; one built with Go and kept in the user's cache folder. Several run side by side.
 * A server that was started here does not keep the process alive and ends with it, also after SIGKILL.
 *
 * @throws {MissingDependencyError} There is no server, and no way to build one.
 * @throws {InvalidOptionError} `LIVEKIT_URL` is set without key and secret.
 */
export async function startLiveKitServer({
  config,
  version,
  onProgress = printProgress,
  onLog,
}: StartLiveKitServerOptions = {}): Promise<LiveKitServer> {
  const external = config === undefined && version === undefined ? externalServer() : undefined;
  if (external !== undefined) return external;
  const program = await liveKitServerProgram({ version, onProgress });
  for (let attempt = 1; ; attempt += 1) {
    const merged = merge(await defaultConfig(), config ?? {});
    const outcome = await start(program, merged, onLog);
    if (typeof outcome !== 'string') return outcome;
    // a port that was free before may be taken by now
    if (attempt >= attempts || !/address already in use|failed to listen/i.test(outcome)) {
      throw new Error(`livekit-server did not start: ${outcome}`);
    }
  }
}

function externalServer(): LiveKitServer | undefined {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = process.env;
  if (!url) return undefined;
  if (!apiKey) throw new InvalidOptionError('LIVEKIT_API_KEY', 'set where LIVEKIT_URL is');
  if (!apiSecret) throw new InvalidOptionError('LIVEKIT_API_SECRET', 'set where LIVEKIT_URL is');
  const trimmed = url.replace(/\/+$/, '');
  return {
    url: trimmed.replace(/^http/, 'ws'),
    httpUrl: trimmed.replace(/^ws/, 'http'),
    apiKey,
    apiSecret,
    external: true,
    pid: undefined,
    stop: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function defaultConfig(): Promise<LiveKitServerConfig> {
  const { http, tcp, udp } = await freePorts();
  return {
    port: http,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      tcp_port: tcp,
      udp_port: udp,
      // media over loopback only, without a network or STUN server
      node_ip: '127.0.0.1',
      use_external_ip: false,
      enable_loopback_candidate: true,
      ips: { includes: ['127.0.0.1/32'] },
    },
    keys: { [`key${randomBytes(8).toString('hex')}`]: randomBytes(32).toString('hex') },
    logging: { level: 'warn', json: true, pion_level: 'error' },
  };
}

async function freePorts(): Promise<{ http: number; tcp: number; udp: number }> {
  const [http, tcp] = [createServer().listen(0, '127.0.0.1'), createServer().listen(0)];
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  // opened at the same time, so that they differ
  await Promise.all([http, tcp, udp].map((socket) => once(socket, 'listening')));
  const ports = {
    http: (http.address() as AddressInfo).port,
    tcp: (tcp.address() as AddressInfo).port,
    udp: udp.address().port,
  };
  for (const socket of [http, tcp, udp]) socket.close();
  return ports;
}

/** Objects are merged, except `keys`; everything else is replaced. */
function merge(base: LiveKitServerConfig, over: LiveKitServerConfig): LiveKitServerConfig {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const old = merged[name];
    merged[name] = name !== 'keys' && isPlainObject(old) && isPlainObject(value) ? merge(old, value) : value;
  }
  return merged;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The server, or its output when it did not start. */
async function start(
  program: string,
  config: LiveKitServerConfig,
  onLog: ((line: string) => void) | undefined,
): Promise<LiveKitServer | string> {
  const [apiKey, apiSecret] = Object.entries(config.keys ?? {})[0] ?? ['', ''];
  const { PATH, HOME, SystemRoot } = process.env;
  const child = await startSupervised(program, [], {
    // no other variables: LiveKit reads LIVEKIT_KEYS, REDIS_HOST and others
    env: { PATH, HOME, SystemRoot, LIVEKIT_CONFIG: JSON.stringify(config) },
    ...(onLog === undefined ? {} : { onLine: onLog }),
  });
  const httpUrl = `http://127.0.0.1:${config.port}`;
  const ended = new AbortController();
  const failure = await Promise.race([
    child.exited.then(({ tail, code }) => {
      ended.abort();
      return tail || `it ended with code ${code}`;
    }),
    answersWithOurKey(httpUrl, apiKey, apiSecret, ended.signal),
  ]);
  if (failure !== undefined) {
    await child.kill();
    return failure;
  }
  child.unref();
  return startedServer(child, httpUrl, apiKey, apiSecret);
}

function startedServer(
  child: SupervisedProcess,
  httpUrl: string,
  apiKey: string,
  apiSecret: string,
): LiveKitServer {
  const stop = (): Promise<void> => child.kill();
  return {
    url: httpUrl.replace('http', 'ws'),
    httpUrl,
    apiKey,
    apiSecret,
    external: false,
    pid: child.pid,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits for a response to a signed request, which proves that it is not another server on that port. */
async function answersWithOurKey(
  httpUrl: string,
  apiKey: string,
  secret: string,
  ended: AbortSignal,
): Promise<string | undefined> {
  const until = Date.now() + startLimitMs;
  let last = 'no answer';
  while (Date.now() < until && !ended.aborted) {
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const token = signToken({ iss: apiKey, sub: apiKey, exp, video: { roomList: true } }, secret);
    try {
      const response = await fetch(`${httpUrl}/twirp/livekit.RoomService/ListRooms`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
        signal: AbortSignal.timeout(2_000),
      });
      await response.arrayBuffer();
      if (response.ok) return undefined;
      last = `status ${response.status}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(20);
  }
  return `not ready after ${startLimitMs} ms: ${last}`;
}
