/** One connection to a room: joining it, why that failed, and the requests of a bot that has joined. */

import type { Subscription } from 'rxjs';
import type { KeypadEntry } from '../../frames/dtmf.ts';
import { errorMessage, LiveKitRESTError, MissingDependencyError, PipelineError } from '../../lib/errors.ts';
import { withAbort } from '../../lib/timeout.ts';
import { redact, truncate } from '../../rooms/rest/rest-error.ts';
import type { RoomRest } from '../../rooms/rest/room-rest.ts';
import type { LocalParticipant, Room, RtcCall, RtcHandle } from './rtc-node.ts';

/** How to join. */
export interface OpenConnectionOptions {
  /** `ws` or `wss`. */
  readonly url: string;
  /** Makes a join token. */
  readonly createToken: () => Promise<string>;
  /** Called before the join, so that no event is missed. */
  readonly watch: (room: Room) => Subscription;
}

/** The server's identification of a room. */
export interface JoinedIdentity {
  /** LiveKit's id of the room. */
  readonly sid: string;
  /** Milliseconds since 1970, by the server's clock; `undefined` where it does not report it. */
  readonly creationTimeMs: number | undefined;
}

/** A room that was joined. */
export class RoomConnection {
  /** The SDK's room. */
  readonly room: Room;
  /** The token it was joined with. */
  readonly token: string;
  readonly #handle: RtcHandle;
  readonly #watch: Subscription;
  readonly #join: RtcCall<void>;

  private constructor(
    handle: RtcHandle,
    room: Room,
    token: string,
    watch: Subscription,
    join: RtcCall<void>,
  ) {
    this.room = room;
    this.token = token;
    this.#handle = handle;
    this.#watch = watch;
    this.#join = join;
  }

  /** @throws {PipelineError} The SDK's reason, with secrets redacted. */
  static async open(handle: RtcHandle, options: OpenConnectionOptions): Promise<RoomConnection> {
    const token = await options.createToken();
    const room = new handle.rtc.Room();
    const watch = options.watch(room);
    // tracks are subscribed one by one
    const connect = () => room.connect(options.url, token, { autoSubscribe: false, dynacast: false });
    const join = handle.call(connect);
    try {
      await join.result;
    } catch (error) {
      watch.unsubscribe();
      // the message of LiveKit may contain the token
      throw new PipelineError(`The room could not be joined: ${truncate(redact(errorMessage(error)))}`);
    }
    return new RoomConnection(handle, room, token, watch, join);
  }

  /** Resolves soon after the join; with `undefined` when the room was left before. */
  async identity(): Promise<JoinedIdentity | undefined> {
    const sid = await this.room.getSid().catch(() => '');
    const createdMs = this.room.creationTime?.getTime() ?? 0;
    return sid === '' ? undefined : { sid, creationTimeMs: createdMs > 0 ? createdMs : undefined };
  }

  /** @param identity The recipient; all participants by default. */
  async send(data: Uint8Array, identity?: string): Promise<void> {
    const destinations = identity === undefined ? {} : { destination_identities: [identity] };
    await this.#request((bot) => bot.publishData(data, { reliable: true, ...destinations }));
  }

  /** Sends a DTMF key. */
  async publishDtmf(key: KeypadEntry): Promise<void> {
    await this.#request((bot) => bot.publishDtmf('0123456789*#'.indexOf(key), key));
  }

  /** Sets some of the bot's attributes; an empty string removes one. */
  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.#request((bot) => bot.setAttributes({ ...attributes }));
  }

  /** Sets the bot's metadata. */
  async setMetadata(metadata: string): Promise<void> {
    await this.#request((bot) => bot.updateMetadata(metadata));
  }

  /** Resolves when the server has confirmed, which may never happen. */
  disconnect(): Promise<void> {
    return this.#handle.call(() => this.room.disconnect()).result;
  }

  /** Removes all listeners from the SDK. */
  removeListeners(): void {
    this.#watch.unsubscribe();
    // the SDK keeps its listener when the server disconnects
    this.#join.removeListeners();
  }

  async #request(call: (bot: LocalParticipant) => Promise<unknown>): Promise<void> {
    const bot = this.room.localParticipant;
    if (bot !== undefined) await this.#handle.call(() => call(bot)).result;
  }
}

/** Why joining failed. */
export interface JoinFailure {
  /** Why the join has failed. */
  readonly error: Error;
  /** Whether the bot has certainly not been in the room: LiveKit was not reached, or refused the join. */
  readonly isCertain: boolean;
  /** How many more attempts may succeed. */
  readonly retries: number;
}

/** What was to be joined, and the REST API to probe. */
export interface JoinTarget {
  /** The URL. */
  readonly url: string;
  /** The room's name. */
  readonly roomName?: string | undefined;
  /** The REST client of the probe; without it there is no probe. */
  readonly rest?: RoomRest | undefined;
}

/** The SDK's message when LiveKit has refused the join. */
const refusal = /client error: 4\d\d/;
/** Limit for the probe: a server that answers does so at once. */
const probeLimitMs = 3_000;
const defaultRetries = 2;

/**
 * Probes the REST API, which has typed errors: the SDK's are messages that differ by version.
 *
 * @param thrown The rejection of the join; without secrets.
 * @returns Resolves within 3 s; never rejects.
 */
export async function explainJoinFailure(thrown: unknown, target: JoinTarget): Promise<JoinFailure> {
  const error = thrown instanceof Error ? thrown : new PipelineError(errorMessage(thrown));
  if (error instanceof MissingDependencyError) return { error, isCertain: true, retries: 0 };
  const probed = await probe(target);
  const { url } = target;
  if (probed?.kind === 'network') {
    const [, cause = 'no answer'] = /no answer \((.+)\)$/.exec(probed.message) ?? [];
    const reason = `LiveKit cannot be reached at ${url} (${cause}). Check LIVEKIT_URL, and that the server runs.`;
    return { error: couldNotJoin(reason), isCertain: true, retries: 1 };
  }
  if (probed?.kind === 'auth' || probed?.kind === 'clock') {
    const check =
      probed.kind === 'auth'
        ? 'Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET.'
        : 'Check the clocks of this machine and of the server.';
    const reason = `LiveKit at ${url} refuses the API key or what it has signed. ${check}`;
    return { error: couldNotJoin(reason), isCertain: true, retries: 0 };
  }
  const isRefused = refusal.test(error.message);
  return { error, isCertain: isRefused, retries: isRefused ? 0 : defaultRetries };
}

function couldNotJoin(reason: string): PipelineError {
  return new PipelineError(`The room could not be joined: ${reason}`);
}

/** The REST API's error; `undefined` where it answers, or is not available. */
async function probe({ rest, roomName = 'endframe' }: JoinTarget): Promise<LiveKitRESTError | undefined> {
  if (rest?.listRooms === undefined) return undefined;
  const onTimeout = (): Error => new Error(`no answer within ${probeLimitMs} ms`);
  try {
    await withAbort({ limitMs: probeLimitMs, signal: undefined, onTimeout }, async (signal) =>
      rest.listRooms?.([roomName], { signal }),
    );
  } catch (error) {
    if (error instanceof LiveKitRESTError) return error;
  }
  return undefined;
}
