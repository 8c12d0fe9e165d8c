/** The command `endframe sweep`. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { EndframeError } from '../lib/errors.ts';
import { type Logger, silentLogger, writeOrDrop } from '../lib/logger.ts';
import { exitSignals } from '../lib/process-exit.ts';
import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import { BullMqEngine } from '../sweeper/engine/bullmq-engine.ts';
import { isFatal, Sweeper } from '../sweeper/sweeper.ts';
import type { OrphanReport } from '../sweeper/sweeper-events.ts';
import { type SweepArguments, sweepArguments, sweepUsage } from './sweep-arguments.ts';
import { printable, printableText, sweepJson, sweepSummary, sweepTable } from './sweep-print.ts';
import { hintAtHelp } from './usage.ts';

/** The environment of the command, for tests. */
export interface SweepSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Settles when `--watch` has to end. */
  readonly untilStopped: () => Promise<unknown>;
}

/**
 * Deletes rooms without a living bot, or prints them.
 *
 * @returns The exit code; see {@link sweepUsage}.
 */
export async function sweepCommand(
  argv: readonly string[],
  surroundings: SweepSurroundings = realSurroundings(),
): Promise<number> {
  const { env, print, printError } = surroundings;
  const asked = sweepArguments(argv);
  if (asked === 'help') {
    print(sweepUsage);
    return 0;
  }
  if ('wrong' in asked) {
    printError(hintAtHelp(asked.wrong, 'sweep'));
    return 2;
  }
  try {
    const sweeper = makeSweeper(asked, env, warnings(printError));
    return await (asked.watch
      ? watch(sweeper, asked, surroundings)
      : sweepOnce(sweeper, asked, surroundings));
  } catch (error) {
    if (!(error instanceof EndframeError)) throw error;
    printError(`${printableText(error.message)}\n`);
    return error.name === 'InvalidOptionError' ? 2 : 1;
  }
}

function makeSweeper(
  { options, redisUrl, rules }: SweepArguments,
  env: NodeJS.ProcessEnv,
  logger: Logger,
): Sweeper {
  const rest = LiveKitRESTHelper.fromEnv(env);
  const queueName = queueNameFor(env.LIVEKIT_URL, rules);
  const engine = redisUrl === undefined ? undefined : new BullMqEngine({ redisUrl, queueName, logger });
  return new Sweeper({ ...options, rest, engine, logger });
}

/** Sweepers of the same rooms and rules share a queue: others would take each other's probes. */
function queueNameFor(...what: readonly unknown[]): string {
  return `endframe-sweeper-${createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 12)}`;
}

async function sweepOnce(
  sweeper: Sweeper,
  { json, options }: SweepArguments,
  { print, printError }: SweepSurroundings,
): Promise<number> {
  if (!json) printError('Observing the rooms; this takes as long as a lease has to be observed.\n');
  const report = await sweeper.sweepOnce();
  if (json) {
    for (const orphan of report.orphans) print(sweepJson('orphan', orphan));
    print(sweepJson('swept', { ...report, orphans: report.orphans.length }));
  } else {
    print(sweepTable(report.orphans) + sweepSummary(report));
    if (options.dryRun && report.orphans.length > 0) print('Nothing was deleted: --yes does.\n');
  }
  return report.undecided > 0 || report.orphans.some(remains) ? 3 : 0;
}

async function watch(
  sweeper: Sweeper,
  { json }: SweepArguments,
  { print, untilStopped }: SweepSurroundings,
): Promise<number> {
  let heading = true;
  let printed: ReadonlySet<string> = new Set();
  const fingerprint = ({ sid, status }: OrphanReport): string => `${sid} ${status}`;
  sweeper.on('swept', ({ orphans, ...report }) => {
    // a dry run finds the same rooms in every pass
    const fresh = orphans.filter((orphan) => !printed.has(fingerprint(orphan)));
    printed = new Set(orphans.map(fingerprint));
    if (json) {
      for (const orphan of fresh) print(sweepJson('orphan', orphan));
      print(sweepJson('swept', { ...report, orphans: orphans.length }));
    } else if (fresh.length > 0) {
      print(sweepTable(fresh, { heading }));
      heading = false;
    }
  });
  const cannotBegin = new Promise<never>((_, reject) => {
    const rejectIfFatal = (error: Error): void => {
      if (isFatal(error)) reject(error);
    };
    sweeper.on('sweepFailed', rejectIfFatal);
    sweeper.once('swept', () => sweeper.off('sweepFailed', rejectIfFatal));
  });
  sweeper.start();
  try {
    await Promise.race([untilStopped(), cannotBegin]);
  } finally {
    await sweeper.stop();
  }
  return 0;
}

function remains({ status }: OrphanReport): boolean {
  return status === 'failed' || status === 'capped' || status === 'would-delete';
}

/** Warnings and errors, a line each; the rest is in the table. */
function warnings(printError: (text: string) => void): Logger {
  const line: Logger['error'] = (fields, message) => {
    const { roomName, error } = fields as { roomName?: string; error?: Error };
    const what = roomName === undefined ? '' : ` ${printable(roomName)}`;
    printError(`${message}${what}${error === undefined ? '' : `: ${printableText(error.message)}`}\n`);
  };
  return { ...silentLogger, warn: line, error: line };
}

function realSurroundings(): SweepSurroundings {
  return {
    env: process.env,
    print: (text) => writeOrDrop(process.stdout, text),
    printError: (text) => writeOrDrop(process.stderr, text),
    untilStopped: () => Promise.race(exitSignals.map((signal) => once(process, signal))),
  };
}
