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
import { generateRoomName } from '../../rooms/generated-room-name.ts';
import { givenOrEnv } from '../../rooms/given-or-env.ts';
import { LiveKitRESTHelper } from '../../rooms/livekit-rest-helper.ts';
import { RoomDeleter } from '../../rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../../rooms/room-deleter-options.ts';
import { checkRoomName } from '../../rooms/room-name.ts';
import type { RoomRest } from '../../rooms/room-rest.ts';
import { restBaseUrl } from '../../rooms/server-url.ts';
import type { TransportParams } from '../transport-params.ts';
import { tokenClaims } from './token-claims.ts';
import { createAgentToken } from './tokens.ts';

/** What to do when the server ends the connection: let the conversation end, cut it, or go on without a room. */
export type RemoteDisconnectPolicy = 'end' | 'cancel' | 'ignore';

export interface LiveKitTransportOptions {
  /** Of the LiveKit server: `wss`, `ws`, `https` or `http`. Default: `LIVEKIT_URL`. */
  readonly url?: string | undefined;
  /** Default: that of the token; without a token, `endframe-` and 128 random bits. */
  readonly roomName?: string | undefined;
  /** The bot's. Default: that of the token; without a token, `bot-` and 32 random bits. */
  readonly identity?: string | undefined;
  /**
   * A join token, instead of one that is made from key and secret. One that is no agent's, or has no
   * `canUpdateOwnMetadata`, is warned of.
   */
  readonly token?: string | undefined;
  /** Default: `LIVEKIT_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** Default: `LIVEKIT_API_SECRET`. */
  readonly apiSecret?: string | undefined;
  /** Whether the room is deleted when the run is over, or how. Default true. */
  readonly deleteRoomOnEnd?: boolean | DeletionOptions | undefined;
  readonly params?: TransportParams | undefined;
  /** For every reason but `ROOM_DELETED` and `DUPLICATE_IDENTITY`, which always end the run. Default `'end'`. */
  readonly onRemoteDisconnect?: RemoteDisconnectPolicy | undefined;
  /** How long a room that this bot creates waits for its first human, in milliseconds. Default 300 000. */
  readonly emptyTimeoutMs?: number | undefined;
  /** How long it stays when the last human has left, in milliseconds. Default 20 000. */
  readonly departureTimeoutMs?: number | undefined;
  /**
   * How often sweepers are told that the bot is alive, in milliseconds. Default 5 000. To be well below the
   * `leaseTtlMs` of the sweepers, 30 000 by default: a third of it or less.
   */
  readonly leaseBeatMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** What a LiveKit transport needs, checked and with the defaults filled in. */
export interface LiveKitPlan {
  readonly url: string;
  readonly roomName: string;
  /** Whether the name was made up here: nobody else was told it before. */
  readonly nameIsNew: boolean;
  readonly identity: string;
  readonly createToken: () => Promise<string>;
  /** `undefined` where there is neither a key pair nor a `rest`. */
  readonly rest: RoomRest | undefined;
  /** `undefined` when the room is to stay. */
  readonly deleter: RoomDeleter | undefined;
  readonly onRemoteDisconnect: RemoteDisconnectPolicy;
  /** `undefined` for the usual rhythm. */
  readonly leaseBeatMs: number | undefined;
  readonly logger: Logger;
}

interface Keys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

type DeletionOptions = Partial<Omit<RoomDeleterOptions, 'roomName'>>;

/** All names, so that a misspelt one is noticed. */
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
  scheduler: true,
  random: true,
};

/** Its own token is used at once; what it needs is room for clocks that differ. */
const tokenTtlMs = 120_000;

/** @throws {InvalidOptionError} They are no object, or have a name that does not exist. */
export function checkedOptions(options: LiveKitTransportOptions): LiveKitTransportOptions {
  checkOptions(options);
  checkNames(options, Object.keys(optionNames));
  return options;
}

/** @throws {InvalidOptionError} An option is missing or can never work; secrets are not quoted. */
export function liveKitPlan(options: LiveKitTransportOptions): LiveKitPlan {
  const { onRemoteDisconnect = 'end', logger = stderrLogger, deleteRoomOnEnd = true } = options;
  checkOneOf('onRemoteDisconnect', onRemoteDisconnect, ['end', 'cancel', 'ignore']);
  checkLogger('logger', logger);
  checkDeletion(deleteRoomOnEnd);
  for (const name of ['emptyTimeoutMs', 'departureTimeoutMs', 'leaseBeatMs'] as const) {
    if (options[name] !== undefined) checkDurationMs(name, options[name]);
  }
  const httpUrl = restBaseUrl(givenOrEnv('url', options.url, 'LIVEKIT_URL'), 'url');
  const claims = options.token === undefined ? undefined : tokenClaims(options.token);
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

/** Key and secret; only a transport that has a token can do without. */
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
  who: { readonly roomName: string; readonly identity: string },
): () => Promise<string> {
  if (token !== undefined || keys === undefined) return async () => token ?? '';
  return () => createAgentToken({ ...keys, ...who, ttlMs: tokenTtlMs, emptyTimeoutMs, departureTimeoutMs });
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

/** The option, or what the token says; both must agree. */
function agreed(name: string, option: string | undefined, claim: string | undefined): string | undefined {
  if (option !== undefined && claim !== undefined && option !== claim) {
    throw new InvalidOptionError(name, `what the token says, ${JSON.stringify(claim)}`, option);
  }
  return option ?? claim;
}
