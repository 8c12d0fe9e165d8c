/** Starts the guardian's process: arguments, environment, pipe, end. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { basename, parse, resolve } from 'node:path';
import { guardianArgs } from './program.ts';
import { encode, type FromGuardian, guardianPipeFd, MessageReader, type ToGuardian } from './protocol.ts';

/** Callbacks of a guardian's process. */
export interface GuardianProcessEvents {
  /** The guardian has sent a message. */
  readonly onMessage: (message: FromGuardian) => void;
  /** Once, when it has ended, could not be started, or was not ready in time; the error has the cause. */
  readonly onEnd: (error: Error) => void;
}

/** The only variables of the bot's environment that are passed on: those for reaching a server. */
const inherited = [
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_USE_ENV_PROXY',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_DIR',
  'SSL_CERT_FILE',
  'SystemRoot',
];
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
/** The same as arguments of Node. */
const networkArg = /^--use-(bundled-ca|env-proxy|openssl-ca|system-ca)$/;

/** From the start to its first message. */
const armLimitMs = 5_000;

/** A guardian's process; it never keeps the bot's process alive, and outlives it. */
export class GuardianProcess {
  readonly #child: ChildProcess;
  readonly #events: GuardianProcessEvents;
  /** `undefined` where the system had no file descriptor for it; `onEnd` follows then. */
  readonly #pipe: Socket | undefined;
  #armTimer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  /** @throws {Error} The system, or Node's permission model, lets no process be started. */
  constructor(events: GuardianProcessEvents) {
    refuseOtherThanNode();
    this.#events = events;
    this.#child = spawn(process.execPath, [...networkArgs(), ...guardianArgs()], {
      // a group of its own: what kills the bot's group must not kill its guardian
      detached: true,
      // not where the bot is: that folder may go
      cwd: parse(process.execPath).root,
      env: environment(),
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      windowsHide: true,
    });
    this.#child.on('error', (error) => {
      if (this.#child.pid === undefined) this.#end(error);
    });
    this.#child.on('exit', (code, signal) => {
      this.#end(new Error(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    this.#child.unref();

    // `stdio` is undefined after EMFILE, unlike its type
    this.#pipe = this.#child.stdio?.[guardianPipeFd] as Socket | undefined;
    const reader = new MessageReader<FromGuardian>();
    this.#pipe?.on('error', () => {});
    this.#pipe?.setEncoding('utf8').on('data', (text: string) => {
      clearTimeout(this.#armTimer);
      for (const message of reader.read(text)) events.onMessage(message);
    });
    this.#pipe?.unref();
    // where this loop was blocked, the answer may be there and not read yet: it is read before the immediate
    this.#armTimer = setTimeout(() => setImmediate(() => this.#hangs()), armLimitMs);
    this.#armTimer.unref();
  }

  /** The id of the process; `undefined` where it could not be spawned. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Synchronous: the message arrives even if this process ends at once. */
  send(message: ToGuardian): void {
    this.write(encode(message));
  }

  /** Writes to the input of the process. */
  write(text: string): void {
    if (this.#pipe?.writable) this.#pipe.write(text);
  }

  #hangs(): void {
    if (this.#pipe?.bytesRead) return;
    this.#child.kill('SIGKILL');
    this.#pipe?.destroy();
    this.#end(new Error(`it was not ready within ${armLimitMs} ms`));
  }

  #end(error: Error): void {
    clearTimeout(this.#armTimer);
    if (this.#ended) return;
    this.#ended = true;
    this.#events.onEnd(error);
  }
}

function networkArgs(): string[] {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  return given.filter((arg) => networkArg.test(arg));
}

/** A single executable application would start itself again instead of a guardian. */
function refuseOtherThanNode(): void {
  if (/^node(js)?[\d.-]*(\.exe)?$/i.test(basename(process.execPath))) return;
  throw new Error('it needs a process that was started by node');
}

/** Visible to other processes: a proxy with a password is left out. */
function environment(): NodeJS.ProcessEnv {
  const entries = [...inherited, ...proxies].flatMap((name) => {
    const value = process.env[name];
    if (value === undefined || (proxies.includes(name) && value.includes('@'))) return [];
    return [[name, name.includes('_CERT') ? resolve(value) : value]];
  });
  return Object.fromEntries(entries);
}
