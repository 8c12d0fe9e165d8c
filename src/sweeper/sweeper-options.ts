import { InvalidOptionError } from '../errors.ts';
import { type Logger, stderrLogger, unfailing } from '../logger.ts';
import {
  checkBoolean,
  checkCount,
  checkDurationMs,
  checkFunction,
  checkLogger,
  checkMethods,
  checkOneOf,
  checkShare,
  checkText,
} from '../option-checks.ts';
import type { ListedParticipant, RoomRest } from '../rooms/room-rest.ts';
import { boundedRest } from './bounded-rest.ts';
import type { SweeperEngine } from './engine.ts';
import { InMemoryEngine } from './in-memory-engine.ts';
import type { OwnershipRule } from './ownership.ts';
import { ServerClock } from './server-clock.ts';

/** What the sweeper needs of LiveKit; `LiveKitRESTHelper` has it. */
export type SweeperRest = RoomRest & Required<Pick<RoomRest, 'listRooms' | 'listParticipants'>>;

export interface SweeperOptions {
  readonly rest: SweeperRest;
  /** What the names of your rooms begin with. Never empty: the sweeper would own everything. */
  readonly prefix: string;
  /** See {@link OwnershipRule}. Default `'required'`. */
  readonly marker?: OwnershipRule['marker'] | undefined;
  /** Default `'endframe'`: rooms with the metadata `{"endframe": true}` are ours. */
  readonly metadataKey?: string | undefined;
  /** Who counts as a bot although it has no lease. Default: everybody with the agent grant. */
  readonly isBot?: ((participant: ListedParticipant) => boolean) | undefined;
  /** From list to list. Longer by itself where listing or looking takes long. Default 5 000. */
  readonly pollMs?: number | undefined;
  /** How long a lease may stand still. Several beats, and several polls. Default 30 000. */
  readonly leaseTtlMs?: number | undefined;
  /**
   * How long a room may be without a bot. Longer than a bot takes to start again, and than a caller waits for the
   * bot at the beginning. Default 30 000.
   */
  readonly graceMs?: number | undefined;
  /** How old a room may become, whoever is in it; `null`: as old as it likes. Default 4 hours. */
  readonly maxSessionMs?: number | null | undefined;
  /** The most a pass may delete, as a part of the rooms that are ours. Default 0.2. */
  readonly maxDeletionShare?: number | undefined;
  /** What a pass may delete however few rooms there are. Default 10. */
  readonly minDeletionCap?: number | undefined;
  /** Looks at the same time. Default 4. */
  readonly concurrency?: number | undefined;
  /** For the deletion of one room with its retries, in milliseconds. Default 7 000. */
  readonly deletionDeadlineMs?: number | undefined;
  /** Decides and tells, and deletes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** With it, `maxSessionMs` counts exactly from the first pass on; see {@link ServerClock}. */
  readonly serverClock?: ServerClock | undefined;
  /** Where looks are planned and remembered. Default: in this process. */
  readonly engine?: SweeperEngine | undefined;
  readonly logger?: Logger | undefined;
}

/** The options with the defaults filled in, already checked. */
export type SweeperPlan = {
  readonly [Name in keyof SweeperOptions]-?: Exclude<SweeperOptions[Name], undefined>;
};

/** @throws {InvalidOptionError} An option can never work. */
export function sweeperPlan(options: SweeperOptions): SweeperPlan {
  const plan: SweeperPlan = {
    rest: options.rest,
    prefix: options.prefix,
    marker: options.marker ?? 'required',
    metadataKey: options.metadataKey ?? 'endframe',
    isBot: options.isBot ?? (({ isAgent }) => isAgent),
    pollMs: options.pollMs ?? 5_000,
    leaseTtlMs: options.leaseTtlMs ?? 30_000,
    graceMs: options.graceMs ?? 30_000,
    maxSessionMs: options.maxSessionMs === undefined ? 4 * 3_600_000 : options.maxSessionMs,
    maxDeletionShare: options.maxDeletionShare ?? 0.2,
    minDeletionCap: options.minDeletionCap ?? 10,
    concurrency: options.concurrency ?? 4,
    deletionDeadlineMs: options.deletionDeadlineMs ?? 7_000,
    dryRun: options.dryRun ?? false,
    serverClock: options.serverClock ?? new ServerClock(),
    engine: options.engine ?? new InMemoryEngine(),
    logger: options.logger ?? stderrLogger,
  };
  checkWhose(plan);
  checkTimes(plan);
  checkBounds(plan);
  checkLogger('logger', plan.logger);
  return { ...plan, rest: boundedRest(plan.rest, plan.pollMs), logger: unfailing(plan.logger) };
}

function checkWhose({ rest, prefix, marker, metadataKey, isBot, engine }: SweeperPlan): void {
  checkMethods('rest', rest, ['deleteRoomByName', 'listRooms', 'listParticipants']);
  checkMethods('engine', engine, ['start', 'stop', 'lookSooner']);
  checkText('prefix', prefix);
  if (prefix.trim() === '') throw new InvalidOptionError('prefix', 'more than white space', prefix);
  checkText('metadataKey', metadataKey);
  checkOneOf('marker', marker, ['required', 'prefix-only']);
  checkFunction('isBot', isBot);
}

function checkTimes({ pollMs, leaseTtlMs, graceMs, maxSessionMs, deletionDeadlineMs }: SweeperPlan): void {
  checkDurationMs('pollMs', pollMs);
  checkDurationMs('leaseTtlMs', leaseTtlMs);
  checkDurationMs('graceMs', graceMs);
  checkDurationMs('deletionDeadlineMs', deletionDeadlineMs);
  // three looks must fit into it, and a look may fail
  if (leaseTtlMs < 3 * pollMs) throw new InvalidOptionError('leaseTtlMs', '3 × pollMs or more', leaseTtlMs);
  if (maxSessionMs !== null && !(maxSessionMs >= leaseTtlMs)) {
    throw new InvalidOptionError('maxSessionMs', 'null, or leaseTtlMs or more', maxSessionMs);
  }
}

function checkBounds({ maxDeletionShare, minDeletionCap, concurrency, dryRun }: SweeperPlan): void {
  checkShare('maxDeletionShare', maxDeletionShare);
  checkCount('minDeletionCap', minDeletionCap, 0);
  checkCount('concurrency', concurrency);
  checkBoolean('dryRun', dryRun);
}
