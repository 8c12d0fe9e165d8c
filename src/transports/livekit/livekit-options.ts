/** The options of a LiveKit transport: their defaults and checks. */

import { randomBytes } from 'node:crypto';
import { InvalidOptionError } from '../../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../../lib/logger.ts';
import {
  checkDurationMs,
  checkLogger,
  checkNames,
  checkOneOf,
  checkOptions,
  checkText,
} from '../../lib/options.ts';
import { LiveKitRESTHelper } from '../../rooms/rest/livekit-rest-helper.ts';
import type { RoomRest } from '../../rooms/rest/room-rest.ts';
import { givenOrEnv, restBaseUrl } from '../../rooms/rest/server-url.ts';
import { RoomDeleter } from '../../rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../../rooms/room-deleter-options.ts';
import { checkRoomName, generateRoomName } from '../../rooms/room-name.ts';
import type { TransportParams } from '../transport-params.ts';
import { createAgentToken, parseJoinToken } from './tokens.ts';

/** When the server ends the connection: end the run, cancel it, or let it go on without a room. */
export type RemoteDisconnectPolicy = 'end' | 'cancel' | 'ignore';

/** Options of a LiveKit transport; without any, it reads `LIVEKIT_*` and generates a room name. */
export interface LiveKitTransportOptions {
  /** The LiveKit server's: `wss`, `ws`, `https` or `http`. Default: `LIVEKIT_URL`. */
  readonly url?: string | undefined;
  /** The room. Default: the token's; without a token, `endframe-` and 128 random bits. */
  readonly roomName?: string | undefined;
  /** The bot's. Default: the token's; without a token, `bot-` and 32 random bits. */
  readonly identity?: string | undefined;
  /**
   * A join token. Default: made from key and secret. One without the agent grant or `canUpdateOwnMetadata` is logged
   * as a warning.
   */
  readonly token?: string | undefined;
  /** LiveKit's API key. Default: `LIVEKIT_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** LiveKit's API secret. Default: `LIVEKIT_API_SECRET`. */
  readonly apiSecret?: string | undefined;
  /** Whether the room is deleted when the run is over, or options of its deletion. Default true. */
  readonly deleteRoomOnEnd?: boolean | DeletionOptions | undefined;
  /** Media. Default: all off. */
  readonly params?: TransportParams | undefined;
  /** For all reasons but `ROOM_DELETED` and `DUPLICATE_IDENTITY`, which always end the run. Default `'end'`. */
  readonly onRemoteDisconnect?: RemoteDisconnectPolicy | undefined;
  /** How long a room that this bot creates stays open before its first participant, in milliseconds. Default 300,000. */
  readonly emptyTimeoutMs?: number | undefined;
  /** How long it stays open after the last participant, in milliseconds. Default 20,000. */
  readonly departureTimeoutMs?: number | undefined;
  /**
   * Interval of the lease that shows sweepers that the bot is alive, in milliseconds. Default 5,000. At most a third
   * of the sweepers' `leaseTtlMs`, which is 30,000 by default.
   */
  readonly leaseBeatMs?: number | undefined;
  /** Default: warnings and errors on stderr. */
  readonly logger?: Logger | undefined;
}

/** The options, checked and with the defaults filled in. */
export interface ResolvedLiveKitOptions {
  /** The URL. */
  readonly url: string;
  /** The room's name. */
  readonly roomName: string;
  /** Whether the name was generated here, so that it is unknown elsewhere. */
  readonly nameIsNew: boolean;
  /** The participant's identity in the room. */
  readonly identity: string;
  /** Makes a join token. */
  readonly createToken: () => Promise<string>;
  /** `undefined` without a key pair and a `rest`. */
  readonly rest: RoomRest | undefined;
  /** `undefined` with `deleteRoomOnEnd: false`. */
  readonly deleter: RoomDeleter | undefined;
  /** What the bot does when it is disconnected by the server. */
  readonly onRemoteDisconnect: RemoteDisconnectPolicy;
  /** `undefined` for the default. */
  readonly leaseBeatMs: number | undefined;
  /** The logger. */
  readonly logger: Logger;
}

interface Keys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

type DeletionOptions = Partial<Omit<RoomDeleterOptions, 'roomName'>>;

/** All names, for the check of unknown ones. */
const optionNames: Readonly<Record<keyof LiveKitTransportOptions, true>> = {
  url: true,
  roomName: true,
  identity: true,
  token: true,
  apiKey: true,
  apiSecret: true,
  deleteRoomOnEnd: true,
  params: true,
  onRemoteDisconnect: true,
  emptyTimeoutMs: true,
  departureTimeoutMs: true,
  leaseBeatMs: true,
  logger: true,
};

const deletionOptionNames: Readonly<Record<keyof DeletionOptions, true>> = {
  rest: true,
  room: true,
  deleteWhen: true,
  ownIdentity: true,
  deadlineMs: true,
  verify: true,
  guardian: true,
  guardianHeartbeatMs: true,
  logger: true,
};

/** The token is used at once; the rest is tolerance for clock skew. */
const tokenTtlMs = 120_000;

/** @throws {InvalidOptionError} They are no object, or a name is unknown. */
export function checkedOptions(options: LiveKitTransportOptions): LiveKitTransportOptions {
  checkOptions(options);
  checkNames(options, Object.keys(optionNames));
  return options;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {InvalidOptionError} An option is missing or invalid; secrets are not quoted.
 */
export function resolveLiveKitOptions(options: LiveKitTransportOptions): ResolvedLiveKitOptions {
  const { onRemoteDisconnect = 'end', logger = stderrLogger, deleteRoomOnEnd = true } = options;
  checkOneOf('onRemoteDisconnect', onRemoteDisconnect, ['end', 'cancel', 'ignore']);
  checkLogger('logger', logger);
  checkDeletion(deleteRoomOnEnd);
  for (const name of ['emptyTimeoutMs', 'departureTimeoutMs', 'leaseBeatMs'] as const) {
    if (options[name] !== undefined) checkDurationMs(name, options[name]);
  }
  const httpUrl = restBaseUrl(givenOrEnv('url', options.url, 'LIVEKIT_URL'), 'url');
  const claims = options.token === undefined ? undefined : parseJoinToken(options.token);
  const givenName = agreed('roomName', options.roomName, claims?.roomName);
  const roomName = givenName ?? generateRoomName();
  const identity =
    agreed('identity', options.identity, claims?.identity) ?? `bot-${randomBytes(4).toString('hex')}`;
  checkRoomName(roomName);
  checkText('identity', identity);
  const keys = keysOf(options, claims !== undefined);
  const given = typeof deleteRoomOnEnd === 'object' ? deleteRoomOnEnd.rest : undefined;
  const rest = given ?? (keys && new LiveKitRESTHelper({ ...keys, apiUrl: httpUrl }));
  return {
    url: httpUrl.replace('http', 'ws'),
    roomName,
    nameIsNew: givenName === undefined,
    identity,
    createToken: tokenMaker(options, keys, { roomName, identity }),
    rest,
    deleter: deleterFor(deleteRoomOnEnd, rest, { roomName, identity, logger }),
    onRemoteDisconnect,
    leaseBeatMs: options.leaseBeatMs,
    logger: safeLogger(logger),
  };
}

function checkDeletion(wanted: unknown): void {
  if (typeof wanted === 'boolean') return;
  if (typeof wanted !== 'object' || wanted === null) {
    throw new InvalidOptionError('deleteRoomOnEnd', 'true, false or an object', wanted);
  }
  checkNames(wanted, Object.keys(deletionOptionNames));
}

/** Key and secret; optional with a token. */
function keysOf(options: LiveKitTransportOptions, hasToken: boolean): Keys | undefined {
  const { LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = process.env;
  const isKnown =
    (options.apiKey ?? LIVEKIT_API_KEY ?? options.apiSecret ?? LIVEKIT_API_SECRET) !== undefined;
  if (hasToken && !isKnown) return undefined;
  return {
    apiKey: givenOrEnv('apiKey', options.apiKey, 'LIVEKIT_API_KEY'),
    apiSecret: givenOrEnv('apiSecret', options.apiSecret, 'LIVEKIT_API_SECRET'),
  };
}

function tokenMaker(
  { token, emptyTimeoutMs, departureTimeoutMs }: LiveKitTransportOptions,
  keys: Keys | undefined,
  bot: { readonly roomName: string; readonly identity: string },
): () => Promise<string> {
  if (token !== undefined || keys === undefined) return async () => token ?? '';
  return () => createAgentToken({ ...keys, ...bot, ttlMs: tokenTtlMs, emptyTimeoutMs, departureTimeoutMs });
}

function deleterFor(
  wanted: NonNullable<LiveKitTransportOptions['deleteRoomOnEnd']>,
  rest: RoomRest | undefined,
  room: {
    readonly roomName: string;
    readonly identity: string;
    readonly logger: Logger;
  },
): RoomDeleter | undefined {
  if (wanted === false) return undefined;
  if (rest === undefined) {
    const expected = 'false, or have a `rest`, where there are no apiKey and apiSecret';
    throw new InvalidOptionError('deleteRoomOnEnd', expected);
  }
  const { roomName, identity, logger } = room;
  const options = wanted === true ? {} : wanted;
  return new RoomDeleter({
    logger,
    ownIdentity: identity,
    ...options,
    roomName,
    rest,
  });
}

/** The option or the token's claim; both must agree. */
function agreed(name: string, option: string | undefined, claim: string | undefined): string | undefined {
  if (option !== undefined && claim !== undefined && option !== claim) {
    throw new InvalidOptionError(name, `what the token says, ${JSON.stringify(claim)}`, option);
  }
  return option ?? claim;
}
