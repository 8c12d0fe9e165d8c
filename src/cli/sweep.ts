/** The command `endframe sweep`: its arguments, its run, and its output as a table or JSON. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { EndframeError, errorMessage, InvalidOptionError } from '../lib/errors.ts';
import { type Logger, silentLogger, writeOrDrop } from '../lib/logger.ts';
import { exitSignals } from '../lib/process-exit.ts';
import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import { BullMqEngine } from '../sweeper/engine/bullmq-engine.ts';
import { isFatal, Sweeper } from '../sweeper/sweeper.ts';
import type { OrphanReport, SweepReport } from '../sweeper/sweeper-events.ts';
import type { SweeperOptions } from '../sweeper/sweeper-options.ts';
import { hintAtHelp, parseOptions, type Wrong } from './usage.ts';

/** The environment of the command, for tests. */
export interface SweepSurroundings {
  /** Environment variables. */
  readonly env: NodeJS.ProcessEnv;
  /** Writes to the standard output. */
  readonly print: (text: string) => void;
  /** Writes to the standard error. */
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

/** The help text. */
export const sweepUsage = `endframe sweep --match PREFIX [--once | --watch] [--yes] [options]

Deletes LiveKit rooms whose bot died. Without --yes it only prints what it would delete, and why.
The server is the one that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name.

  --match PREFIX        what the names of your rooms begin with
  --once                observe until every room is decided (about 30 s), then end: the default
  --watch               run until SIGINT or SIGTERM
  --yes                 really delete
  --json                one JSON object per line instead of a table
  --prefix-only         the prefix alone makes a room yours; else it needs a generated name
                        ("…endframe-" and 32 digits) or the metadata key
  --metadata-key KEY    the key in the room's JSON metadata            (endframe)
  --bot PREFIX          participants whose identity begins so are bots too; may be repeated.
                        Those with the agent grant or a lease always are
  --ttl SECONDS         how long a lease may stay unchanged            (30)
  --grace SECONDS       how long a room may be without a bot           (30)
  --max-session SECONDS the maximum age of a room; 0: unlimited        (14400)
  --poll SECONDS        from probe to probe; a third of --ttl or less  (5)
  --concurrency N       concurrent probes                              (4)
  --redis URL           share the work by BullMQ with the sweepers that have the same options and
                        the same LIVEKIT_URL: --watch only

Exit codes: 0 done; 1 LiveKit gave no answer or refused the key, or bullmq is missing; 2 wrong usage;
3 an orphaned room remains, as always without --yes, or one that could not be decided.
`;

/** The parsed arguments. */
export interface SweepArguments {
  /** Whether to run until a signal. */
  readonly watch: boolean;
  /** Whether to print JSON instead of a table. */
  readonly json: boolean;
  /** The URL of Redis; `undefined` for a sweeper on its own. */
  readonly redisUrl: string | undefined;
  /** Which rooms, and when: only sweepers with the same rules may share a queue. */
  readonly rules: readonly unknown[];
  /** Options of the sweeper. */
  readonly options: Omit<SweeperOptions, 'rest' | 'engine' | 'logger'>;
}

const sweepOptions = {
  match: { type: 'string' },
  once: { type: 'boolean' },
  watch: { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
  'prefix-only': { type: 'boolean' },
  'metadata-key': { type: 'string' },
  bot: { type: 'string', multiple: true },
  ttl: { type: 'string' },
  grace: { type: 'string' },
  'max-session': { type: 'string' },
  poll: { type: 'string' },
  concurrency: { type: 'string' },
  redis: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @returns `'help'` where that was asked for, and the reason where the arguments make no sense. */
export function sweepArguments(argv: readonly string[]): SweepArguments | 'help' | Wrong {
  try {
    return read(argv);
  } catch (error) {
    return { wrong: errorMessage(error) };
  }
}

function read(argv: readonly string[]): SweepArguments | 'help' | Wrong {
  const values = parseOptions(argv, sweepOptions);
  if ('wrong' in values) return values;
  const { match, once = false, watch = false, json = false, redis, bot } = values;
  if (values.help) return 'help';
  if (!match) throw new InvalidOptionError('--match', 'given, and not empty');
  if (once && watch) throw new InvalidOptionError('--once', 'without --watch');
  if (redis !== undefined && !watch) throw new InvalidOptionError('--redis', 'together with --watch');
  const maxSessionMs = milliseconds('--max-session', values['max-session']);
  const options: SweepArguments['options'] = {
    prefix: match,
    dryRun: !values.yes,
    marker: values['prefix-only'] ? 'prefix-only' : 'required',
    metadataKey: values['metadata-key'],
    isBot: bot && (({ isAgent, identity }) => isAgent || bot.some((prefix) => identity.startsWith(prefix))),
    leaseTtlMs: milliseconds('--ttl', values.ttl),
    graceMs: milliseconds('--grace', values.grace),
    pollMs: milliseconds('--poll', values.poll),
    concurrency: count('--concurrency', values.concurrency),
    maxSessionMs: maxSessionMs === 0 ? null : maxSessionMs,
  };
  const { prefix, dryRun, marker, metadataKey, leaseTtlMs, graceMs } = options;
  const rules = [prefix, dryRun, marker, metadataKey, leaseTtlMs, graceMs, options.maxSessionMs, bot];
  return { watch, json, redisUrl: redis, rules, options };
}

function milliseconds(name: string, seconds: string | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(seconds)) return Math.round(Number(seconds) * 1_000);
  throw new InvalidOptionError(name, 'a number of seconds', seconds);
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidOptionError(name, 'a whole number, 1 or more', text);
}

const outcomes: Record<OrphanReport['status'], string> = {
  deleted: 'deleted',
  'already-gone': 'was gone already',
  spared: 'spared by the last probe',
  capped: 'not yet: too many at once',
  'would-delete': 'would be deleted',
  failed: 'could not be deleted',
};
const columns = ['ROOM', 'WHY', 'SILENT', 'CREATED', 'OUTCOME'];

/** An aligned table; empty for no rows. */
export function sweepTable(
  orphans: readonly OrphanReport[],
  { heading = true }: { readonly heading?: boolean } = {},
): string {
  if (orphans.length === 0) return '';
  const rows = [...(heading ? [columns] : []), ...orphans.map(cells)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** One sentence about a whole sweep. */
export function sweepSummary({ owned, undecided, orphans, unmarked }: SweepReport): string {
  const parts = [
    `${counted(orphans.length, 'orphan')} found`,
    `${counted(owned, 'room')} of yours left`,
    ...(undecided > 0 ? [`${undecided} undecided`] : []),
    ...(unmarked.length > 0 ? [`${unmarked.length} with your prefix and without a marker left alone`] : []),
  ];
  return `${parts.join(', ')}.\n`;
}

/** One line of JSON; errors keep their message. */
export function sweepJson(event: string, fields: object): string {
  const plain = (_key: string, value: unknown): unknown =>
    value instanceof Error ? { ...value, message: value.message } : value;
  return `${JSON.stringify({ event, ...fields }, plain)}\n`;
}

function cells({
  roomName,
  reason,
  silentMs,
  creationTimeMs,
  status,
  sparedBecause,
}: OrphanReport): string[] {
  const why = sparedBecause === undefined ? '' : ` (${sparedBecause})`;
  const created = new Date(creationTimeMs).toISOString().slice(0, 19);
  const silent = reason === 'too-old' ? '-' : `${Math.round(silentMs / 1_000)} s`;
  return [printable(roomName), reason, silent, created, outcomes[status] + why];
}

/** A name, quoted and escaped where it contains white space or control characters. */
export function printable(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) ? name : printableText(JSON.stringify(name));
}

/** A text on one line, with control characters escaped. */
export function printableText(text: string): string {
  return text.replace(/[\p{C}\p{Z}]/gu, (char) =>
    char === ' ' ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
