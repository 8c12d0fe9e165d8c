/** The options of a sweeper: defaults, checks, and a REST client with a limit for each probe. */

import { InvalidOptionError, LiveKitRESTError } from '../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
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
} from '../lib/options.ts';
import { withAbort } from '../lib/timeout.ts';
import type { ListedParticipant, ListedRoom, RestCallOptions, RoomRest } from '../rooms/rest/room-rest.ts';
import type { SweeperEngine } from './engine/engine.ts';
import { InMemoryEngine } from './engine/in-memory-engine.ts';
import type { OwnershipRule } from './orphan-policy.ts';

/** What the sweeper needs of LiveKit's REST API; `LiveKitRESTHelper` has it. */
export interface SweeperRest extends RoomRest {
  /** The rooms of the server. */
  listRooms: NonNullable<RoomRest['listRooms']>;
  /** The participants in a room. */
  listParticipants: NonNullable<RoomRest['listParticipants']>;
  /** How long it waits for a list of all rooms, in milliseconds; the sweeper adds a limit of 30 s where it is not set. */
  readonly listTimeoutMs?: number | undefined;
  /** LiveKit's time, milliseconds since 1970, for `maxSessionMs`; without it the newest room's creation counts. */
  serverTimeMs?(): number | undefined;
}

/** What a sweeper deletes, and when. */
export interface SweeperOptions {
  /** Lists and deletes rooms, such as a `LiveKitRESTHelper`. */
  readonly rest: SweeperRest;
  /** The prefix of the names of your rooms. Never empty: the sweeper would own every room. */
  readonly prefix: string;
  /**
   * See {@link OwnershipRule}.
   *
   * @defaultValue `'required'`
   */
  readonly marker?: OwnershipRule['marker'] | undefined;
  /**
   * Rooms with the metadata `{"endframe": true}` are owned.
   *
   * @defaultValue `'endframe'`
   */
  readonly metadataKey?: string | undefined;
  /**
   * Whether a participant without a lease is a bot.
   *
   * @defaultValue participants with the agent grant
   */
  readonly isBot?: ((participant: ListedParticipant) => boolean) | undefined;
  /**
   * From list to list, in milliseconds; longer where listing or probing takes long.
   *
   * @defaultValue 5000
   */
  readonly pollMs?: number | undefined;
  /**
   * How long a lease may stay unchanged, in milliseconds: several beats, and 3 polls or more.
   *
   * @defaultValue 30000
   */
  readonly leaseTtlMs?: number | undefined;
  /**
   * How long a room may be without a bot, in milliseconds. Longer than a bot takes to restart, and than a caller
   * waits for the bot at the beginning.
   *
   * @defaultValue 30000
   */
  readonly graceMs?: number | undefined;
  /**
   * The maximum age of a room in milliseconds, occupied or not; `null`: unlimited.
   *
   * @defaultValue 14400000, 4 hours
   */
  readonly maxSessionMs?: number | null | undefined;
  /**
   * The largest part of the owned rooms that one pass may delete, from 0 to 1.
   *
   * @defaultValue 0.2
   */
  readonly maxDeletionShare?: number | undefined;
  /**
   * How many rooms a pass may delete in any case.
   *
   * @defaultValue 10
   */
  readonly minDeletionCap?: number | undefined;
  /**
   * Concurrent probes.
   *
   * @defaultValue 4
   */
  readonly concurrency?: number | undefined;
  /**
   * For the deletion of one room with its retries, in milliseconds.
   *
   * @defaultValue 7000
   */
  readonly deletionDeadlineMs?: number | undefined;
  /**
   * Reports orphans and deletes nothing.
   *
   * @defaultValue false
   */
  readonly dryRun?: boolean | undefined;
  /**
   * Schedules probes and remembers their results.
   *
   * @defaultValue a new `InMemoryEngine`
   */
  readonly engine?: SweeperEngine | undefined;
  /** @defaultValue `stderrLogger` */
  readonly logger?: Logger | undefined;
}

/** The REST client of a sweeper: probes always settle, and LiveKit's time is known as well as can be. */
export interface BoundedRest extends SweeperRest {
  /** LiveKit's time, milliseconds since 1970; `undefined` where unknown. */
  serverTimeMs(): number | undefined;
}

type Defined = { readonly [Name in keyof SweeperOptions]-?: Exclude<SweeperOptions[Name], undefined> };

/** The options with their defaults, checked. */
export type ResolvedSweeperOptions = Defined & { readonly rest: BoundedRest };

/** For lists of REST clients without a limit of their own. */
const defaultListTimeoutMs = 30_000;

/** @throws {InvalidOptionError} An option is invalid. */
export function resolveSweeperOptions(options: SweeperOptions): ResolvedSweeperOptions {
  const all: Defined = {
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
    engine: options.engine ?? new InMemoryEngine(),
    logger: options.logger ?? stderrLogger,
  };
  checkOwnership(all);
  checkTimes(all);
  checkBounds(all);
  checkMethods('rest', all.rest, ['deleteRoomByName', 'listRooms', 'listParticipants']);
  checkMethods('engine', all.engine, ['start', 'stop', 'lookSooner']);
  checkLogger('logger', all.logger);
  return { ...all, rest: boundRest(all.rest, all.pollMs), logger: safeLogger(all.logger) };
}

function checkOwnership({ prefix, marker, metadataKey, isBot }: Defined): void {
  checkText('prefix', prefix);
  if (prefix.trim() === '') throw new InvalidOptionError('prefix', 'more than white space', prefix);
  checkText('metadataKey', metadataKey);
  checkOneOf('marker', marker, ['required', 'prefix-only']);
  checkFunction('isBot', isBot);
}

function checkTimes({ pollMs, leaseTtlMs, graceMs, maxSessionMs, deletionDeadlineMs }: Defined): void {
  checkDurationMs('pollMs', pollMs);
  checkDurationMs('leaseTtlMs', leaseTtlMs);
  checkDurationMs('graceMs', graceMs);
  checkDurationMs('deletionDeadlineMs', deletionDeadlineMs);
  // three probes must fit into it
  if (leaseTtlMs < 3 * pollMs) throw new InvalidOptionError('leaseTtlMs', '3 × pollMs or more', leaseTtlMs);
  if (maxSessionMs !== null && !(maxSessionMs >= leaseTtlMs)) {
    throw new InvalidOptionError('maxSessionMs', 'null, or leaseTtlMs or more', maxSessionMs);
  }
}

function checkBounds({ maxDeletionShare, minDeletionCap, concurrency, dryRun }: Defined): void {
  checkShare('maxDeletionShare', maxDeletionShare);
  checkCount('minDeletionCap', minDeletionCap, 0);
  checkCount('concurrency', concurrency);
  checkBoolean('dryRun', dryRun);
}

/** Bounds every call but deletions, which `RoomDeleter` bounds, and adds LiveKit's time. */
function boundRest(rest: SweeperRest, probeLimitMs: number): BoundedRest {
  const bound = <T>(
    roomName: string,
    { signal }: RestCallOptions,
    limitMs: number,
    call: (options: RestCallOptions) => Promise<T>,
  ): Promise<T> => {
    const body = `no answer within ${limitMs} ms`;
    const onTimeout = (): Error =>
      new LiveKitRESTError(roomName, { kind: 'timeout', retryable: true, body }, 'probe');
    return withAbort({ limitMs, signal, onTimeout }, async (own) => call({ signal: own }));
  };
  /** LiveKit's clock minus the monotonic clock, at least: it is later than the creation of each room. */
  let offsetMs = Number.NEGATIVE_INFINITY;
  const noteCreation = (rooms: readonly ListedRoom[]): readonly ListedRoom[] => {
    const steadyMs = performance.now();
    for (const { creationTimeMs } of rooms) offsetMs = Math.max(offsetMs, creationTimeMs - steadyMs);
    return rooms;
  };
  return {
    deleteRoomByName: (name, options) => rest.deleteRoomByName(name, options),
    listRooms: (names, options = {}) => {
      const limitMs = names.length === 0 ? defaultListTimeoutMs : probeLimitMs;
      const isBounded = names.length === 0 && rest.listTimeoutMs !== undefined;
      const listed = isBounded
        ? rest.listRooms(names, options)
        : bound(names.join(', '), options, limitMs, (own) => rest.listRooms(names, own));
      return listed.then(noteCreation);
    },
    listParticipants: (name, options = {}) =>
      bound(name, options, probeLimitMs, (own) => rest.listParticipants(name, own)),
    ...(rest.createRoom && { createRoom: rest.createRoom.bind(rest) }),
    // the earlier of two clocks: one wrong clock alone, local or remote, makes no room too old
    serverTimeMs: () => {
      const knownMs = rest.serverTimeMs?.() ?? offsetMs + performance.now();
      const timeMs = Math.min(knownMs, Date.now());
      return Number.isFinite(timeMs) ? timeMs : undefined;
    },
  };
}
