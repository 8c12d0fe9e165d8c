/** Why a bot could not join its room, and what to do about it. */

import { errorMessage, LiveKitRESTError, MissingDependencyError, PipelineError } from '../../lib/errors.ts';
import { withAbort } from '../../lib/timeout.ts';
import type { RoomRest } from '../../rooms/room-rest.ts';

export interface JoinFailure {
  readonly error: Error;
  /** Whether LiveKit was never asked for the room, or has refused it: the bot has not been there. */
  readonly isCertain: boolean;
  /** How many more attempts may help. */
  readonly retries: number;
}

export interface JoinCircumstances {
  readonly url: string;
  readonly roomName?: string | undefined;
  readonly rest?: RoomRest | undefined;
}

/** What the SDK says when LiveKit understood and refused. */
const refusal = /client error: 4\d\d/;
/** A server that answers at all does so at once. */
const probeLimitMs = 3_000;
const usualRetries = 2;

/**
 * Asks the REST API, whose answers are typed, because the SDK has only words, which differ by version.
 *
 * @param thrown What joining rejected with; without secrets.
 * @returns Resolves within 3 s, mostly at once; never rejects.
 */
export async function explainJoinFailure(
  thrown: unknown,
  circumstances: JoinCircumstances,
): Promise<JoinFailure> {
  const error = thrown instanceof Error ? thrown : new PipelineError(errorMessage(thrown));
  if (error instanceof MissingDependencyError) return { error, isCertain: true, retries: 0 };
  const refused = await probe(circumstances);
  const { url } = circumstances;
  if (refused?.kind === 'network') {
    const [, cause = 'no answer'] = /no answer \((.+)\)$/.exec(refused.message) ?? [];
    const told = `LiveKit cannot be reached at ${url} (${cause}). Check LIVEKIT_URL, and that the server runs.`;
    return { error: couldNotJoin(told), isCertain: true, retries: 1 };
  }
  if (refused?.kind === 'auth' || refused?.kind === 'clock') {
    const check =
      refused.kind === 'auth'
        ? 'Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET.'
        : 'Check the clocks of this machine and of the server.';
    const told = `LiveKit at ${url} refuses the API key or what it has signed. ${check}`;
    return { error: couldNotJoin(told), isCertain: true, retries: 0 };
  }
  const isRefused = refusal.test(error.message);
  return { error, isCertain: isRefused, retries: isRefused ? 0 : usualRetries };
}

function couldNotJoin(why: string): PipelineError {
  return new PipelineError(`The room could not be joined: ${why}`);
}

/** Why the REST API does not answer either; `undefined` where it does, or cannot be asked. */
async function probe({
  rest,
  roomName = 'endframe',
}: JoinCircumstances): Promise<LiveKitRESTError | undefined> {
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
