/** The guardian's process, seen from the bot: its start, its pipe, its end. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { basename, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  encode,
  type FromGuardian,
  guardianPipeFd,
  MessageReader,
  type ToGuardian,
} from './guardian-messages.ts';

export interface GuardianProcessEvents {
  readonly onMessage: (message: FromGuardian) => void;
  /** Once, when it has ended or could not be started; the error says why, if anything is known. */
  readonly onEnd: (error: Error | undefined) => void;
}

/** The little that a Node process may need to reach a server; nothing else of the bot's environment. */
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

/** A guardian's process; it never keeps the bot's process alive, and outlives it. */
export class GuardianProcess {
  readonly #child: ChildProcess;
  readonly #pipe: Socket;

  /** @throws {Error} The system, or Node's permission model, lets no process be started. */
  constructor({ onMessage, onEnd }: GuardianProcessEvents) {
    refuseOtherThanNode();
    this.#child = spawn(process.execPath, [...networkArgs(), ...loaderArgs(), fileURLToPath(programUrl)], {
      // a group of its own: what kills the bot's group must not kill its guardian
      detached: true,
      // not where the bot is: that folder may go
      cwd: parse(process.execPath).root,
      env: environment(),
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      windowsHide: true,
    });
    let error: Error | undefined;
    let ended = false;
    const end = (): void => {
      if (!ended) onEnd(error);
      ended = true;
    };
    this.#child.on('error', (cause) => {
      error = cause;
      if (this.#child.pid === undefined) end();
    });
    this.#child.on('exit', end);
    this.#child.unref();

    const reader = new MessageReader<FromGuardian>();
    this.#pipe = this.#child.stdio[guardianPipeFd] as Socket;
    this.#pipe.on('error', () => {});
    this.#pipe.setEncoding('utf8').on('data', (text: string) => {
      for (const message of reader.read(text)) onMessage(message);
    });
    this.#pipe.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Is in the pipe when it returns, so that it arrives even if this process ends at once. */
  send(message: ToGuardian): void {
    this.write(encode(message));
  }

  write(text: string): void {
    if (this.#pipe.writable) this.#pipe.write(text);
  }
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const programUrl = new URL(`./guardian-program.${extension}`, import.meta.url);

function networkArgs(): string[] {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  return given.filter((arg) => networkArg.test(arg));
}

/** From its sources the guardian runs by the loader that the bot runs by. */
function loaderArgs(): string[] {
  if (extension === 'js') return [];
  const place = process.execArgv.findIndex((arg) => arg === '--import' || arg.startsWith('--import='));
  return place < 0
    ? []
    : process.execArgv.slice(place, process.execArgv[place] === '--import' ? place + 2 : place + 1);
}

/** A program that was packed into one executable would start itself again, instead of a guardian. */
function refuseOtherThanNode(): void {
  if (/^node(js)?[\d.-]*(\.exe)?$/i.test(basename(process.execPath))) return;
  throw new Error('it needs a process that was started by node');
}

/** Whoever may look at processes sees it: a proxy that needs a password cannot be handed on. */
function environment(): NodeJS.ProcessEnv {
  const entries = [...inherited, ...proxies].flatMap((name) => {
    const value = process.env[name];
    if (value === undefined || (proxies.includes(name) && value.includes('@'))) return [];
    return [[name, name.includes('_CERT') ? resolve(value) : value]];
  });
  return Object.fromEntries(entries);
}
