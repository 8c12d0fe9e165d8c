import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeArgs } from './run-typescript.ts';

export interface EchoTask {
  readonly url: string;
  readonly token: string;
  /** How many, one after the other, about two in a second. */
  readonly beeps: number;
}

/**
 * A caller in a process of its own beeps, and hears its beeps come back.
 *
 * @returns For each beep, from its first sample sent to its first sample heard, in milliseconds.
 * @throws {Error} It ended before all of them had come back, or was aborted.
 */
export async function measureEchoes(task: EchoTask, signal: AbortSignal): Promise<number[]> {
  const program = fileURLToPath(new URL('./echo-caller-program.ts', import.meta.url));
  const child = fork(program, { execArgv: [...nodeArgs], signal, killSignal: 'SIGKILL' });
  child.send(task);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The caller ended with ${code} before it had heard all echoes`);
  });
  const [roundTripsMs] = await Promise.race([once(child, 'message', { signal }), ended]);
  await ended.catch(() => {});
  return roundTripsMs as number[];
}
