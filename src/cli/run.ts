/** The command `endframe run`: a bot as the main process of a container. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../lib/errors.ts';
import { writeOrDrop } from '../lib/logger.ts';
import { exitCodeOf, exitSignals } from '../lib/process-exit.ts';
import { hintAtHelp, unknownName } from './usage.ts';

const runUsage = `endframe run COMMAND [ARGUMENT ...]

Runs a bot as the main process of a container. When process 1 of a container ends, everything in it is
killed, the bot's guardian too; so this outlives the bot by a second, or by 5 where it ends with an error.
SIGINT, SIGTERM and SIGHUP go to the bot. Ends with the bot's exit code, or 128 and the signal's number.
`;

/** A guardian needs 50 ms, after a `process.exit(0)` too; more where LiveKit is slow. */
const lingerMs = 1_000;
const lingerAfterErrorMs = 5_000;
/** As shells have it: not found, or not to be executed. */
const notFound = 127;
const notExecutable = 126;

/**
 * `endframe run`: for process 1 of a container.
 *
 * @returns The exit code of what it ran.
 */
export async function runCommand(line: readonly string[]): Promise<number> {
  const [first] = line;
  if (first === '--help' || first === '-h') {
    writeOrDrop(process.stdout, runUsage);
    return 0;
  }
  const [command, ...args] = first === '--' ? line.slice(1) : line;
  if (command === undefined || (first !== '--' && command.startsWith('-'))) {
    const wrong =
      command === undefined ? 'A command to run is missing.' : unknownName('option', command, ['--help']);
    writeOrDrop(process.stderr, hintAtHelp(wrong, 'run'));
    return 2;
  }
  // a session of its own: a terminal would send Ctrl+C to both, and the bot would get it twice
  const child = spawn(command, args, { stdio: 'inherit', detached: true });
  for (const signal of exitSignals) process.on(signal, () => void child.kill(signal));
  try {
    // one of the two is always there
    const [code, signal] = (await once(child, 'exit')) as [number, null] | [null, NodeJS.Signals];
    await sleep(code === 0 ? lingerMs : lingerAfterErrorMs);
    return code ?? exitCodeOf(signal);
  } catch (error) {
    writeOrDrop(process.stderr, `${errorMessage(error)}\n`);
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? notFound : notExecutable;
  }
}
