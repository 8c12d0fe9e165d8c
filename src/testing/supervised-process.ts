/** Runs a program that ends with this process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a supervised program ended. */
export interface SupervisedExit {
  /** The exit code; `null` after a signal. */
  readonly code: number | null;
  /** The signal that ended it; `null` without one. */
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its output. */
  readonly tail: string;
}

/** A program that is killed when this process ends, also by SIGKILL. */
export interface SupervisedProcess {
  /** The program's process id. */
  readonly pid: number;
  /** Settles when the program has ended; never rejects. */
  readonly exited: Promise<SupervisedExit>;
  /** Lets this process exit while the program runs; the program is killed then. */
  unref(): void;
  /** Kills the program and its children; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Options of {@link startSupervised}. */
export interface SuperviseOptions {
  /** The program's whole environment; nothing is added. */
  readonly env: NodeJS.ProcessEnv;
  /** Working directory. Default: this process's. */
  readonly cwd?: string;
  /** Called for every line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
}

type FromSupervisor =
  | { readonly pid: number }
  | { readonly line: string }
  | { readonly error: string }
  | { readonly exit: readonly [code: number | null, signal: NodeJS.Signals | null] };

const tailLines = 30;
const killLimitMs = 2_000;

/**
 * The supervisor: a Node process between this one and the program. Its IPC channel closes when this process is gone,
 * for any reason; it then kills the program. It reads the output, so that a blocked event loop here does not block
 * the program, and is in a process group of its own, which Ctrl+C does not reach. It is source text, so that it runs
 * in any Node, also where this file is TypeScript.
 */
const supervisor = `
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const [command, ...args] = process.argv.slice(1);
const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true });
const kill = () => {
  try { process.kill(-child.pid, 'SIGKILL'); } catch { child.kill('SIGKILL'); }
};
const tell = (message, then = () => {}) => process.connected ? process.send(message, then) : then();
child.on('spawn', () => tell({ pid: child.pid }));
child.on('error', (error) => tell({ error: error.message }, () => process.exit()));
child.on('close', (code, signal) => tell({ exit: [code, signal] }, () => process.exit()));
for (const output of [child.stdout, child.stderr]) {
  createInterface({ input: output }).on('line', (line) => tell({ line }));
}
process.on('message', kill);
process.on('disconnect', () => { kill(); child.once('exit', () => process.exit()); setTimeout(process.exit, 1000); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

/**
 * Starts a program that ends with this process, also when that is killed or crashes.
 *
 * @throws {Error} When the program cannot be started.
 */
export async function startSupervised(
  command: string,
  args: readonly string[],
  { env, cwd, onLine }: SuperviseOptions,
): Promise<SupervisedProcess> {
  const child = spawn(process.execPath, ['-e', supervisor, '--', command, ...args], {
    detached: true,
    env,
    cwd,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  });
  const tail: string[] = [];
  let pid: number | undefined;
  let end: Omit<SupervisedExit, 'tail'> = { code: null, signal: 'SIGKILL' };

  const started = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`${command} ended before it had started`)));
    child.on('message', (message: FromSupervisor) => {
      if ('pid' in message) resolve(message.pid);
      if ('error' in message) reject(new Error(message.error));
      if ('exit' in message) end = { code: message.exit[0], signal: message.exit[1] };
      if ('line' in message) {
        tail.push(message.line);
        if (tail.length > tailLines) tail.shift();
        onLine?.(message.line);
      }
    });
  });
  const exited = once(child, 'exit').then(
    (): SupervisedExit => {
      // a supervisor that was killed has not killed its program
      if (child.signalCode !== null) killGroup(pid);
      return { ...end, tail: tail.join('\n') };
    },
    (): SupervisedExit => ({ ...end, tail: tail.join('\n') }),
  );
  pid = await started;
  return { pid, exited, unref: () => unref(child), kill: () => kill(child, pid, exited) };
}

function unref(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

async function kill(child: ChildProcess, pid: number | undefined, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.channel?.ref();
  if (child.connected) child.send('kill', () => {});
  const force = setTimeout(() => {
    killGroup(pid);
    child.kill('SIGKILL');
  }, killLimitMs);
  await exited;
  clearTimeout(force);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // already gone, or the system has no process groups
    }
  }
}
