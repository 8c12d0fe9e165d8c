/** The arguments of `endframe sweep`. */

import { errorMessage, InvalidOptionError } from '../lib/errors.ts';
import type { SweeperOptions } from '../sweeper/sweeper-options.ts';
import { parseOptions, type Wrong } from './usage.ts';

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
  readonly watch: boolean;
  readonly json: boolean;
  readonly redisUrl: string | undefined;
  /** Which rooms, and when: only sweepers with the same rules may share a queue. */
  readonly rules: readonly unknown[];
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
