/** Everything endframe throws on purpose, on one page. */

import { inspect } from 'node:util';

/** Base class: one `instanceof` catches every error below and nothing else. */
export abstract class EndframeError extends Error {
  /** A literal in each class, so that `switch (error.name)` narrows and minifiers cannot change it. */
  abstract override readonly name: string;
}

/** An option has a value that can never work. Thrown by constructors, before anything runs. */
export class InvalidOptionError extends EndframeError {
  override readonly name = 'InvalidOptionError';
  /** The option's name, as it is written in the call. */
  readonly option: string;

  /**
   * @param option The option's name.
   * @param expected What would have been right, to follow "must be".
   * @param actual What came; leave it out where the value may be a secret.
   */
  constructor(option: string, expected: string, ...actual: [] | [actual: unknown]) {
    const got =
      actual.length === 1
        ? `, got ${inspect(actual[0], { depth: 0, maxStringLength: 100, compact: true })}`
        : '';
    super(`Option "${option}" must be ${expected}${got}`);
    this.option = option;
  }
}

/** What went wrong with a REST call, by what a caller can do about it. */
export type LiveKitRESTErrorKind =
  | 'auth'
  | 'clock'
  | 'not_found'
  | 'unavailable'
  | 'rate_limited'
  | 'network'
  | 'timeout'
  | 'bad_response'
  | 'rejected';

/** What LiveKit answered, as far as it did. */
export interface LiveKitAnswer {
  /** The kind of failure. */
  readonly kind: LiveKitRESTErrorKind;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** HTTP status; `undefined` when no answer came. */
  readonly status?: number | undefined;
  /** Twirp code, such as `not_found`; `undefined` when the body carried none. */
  readonly code?: string | undefined;
  /** Already redacted and cut. */
  readonly body?: string | undefined;
  /** How long the server asked to wait, in milliseconds, from `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * LiveKit refused a REST call, or did not answer.
 *
 * @see Pipecat `transports/livekit/utils.py`, whose message this keeps; there it is a bare Exception.
 */
export class LiveKitRESTError extends EndframeError {
  override readonly name = 'LiveKitRESTError';
  /** The room's name. */
  readonly roomName: string;
  /** The HTTP status; `undefined` without a response. */
  readonly status: number | undefined;
  /** The server's error code; `undefined` without one. */
  readonly code: string | undefined;
  /** The kind of failure. */
  readonly kind: LiveKitRESTErrorKind;
  /** Whether a retry can succeed. */
  readonly retryable: boolean;
  /** How long the server asks to wait, in milliseconds; `undefined` without such a header. */
  readonly retryAfterMs: number | undefined;

  /** @param what What failed, to follow "Failed to". */
  constructor(roomName: string, answer: LiveKitAnswer, what = 'delete room') {
    super(`Failed to ${what} [${roomName}] (status: ${answer.status ?? 'none'}): ${answer.body ?? ''}`);
    this.roomName = roomName;
    this.status = answer.status;
    this.code = answer.code;
    this.kind = answer.kind;
    this.retryable = answer.retryable;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** A pipeline could not do what it was asked in time, or at all; the `error` of a failed `PipelineResult`. */
export class PipelineError extends EndframeError {
  override readonly name = 'PipelineError';
}

/** A library or a program that an optional part needs is missing; the message contains how to install it. */
export class MissingDependencyError extends EndframeError {
  override readonly name = 'MissingDependencyError';
  /** What is missing, such as `@livekit/rtc-node`. */
  readonly dependency: string;

  constructor(dependency: string, howToGetIt: string, options?: ErrorOptions) {
    super(`${dependency} is needed and was not found. ${howToGetIt}`, options);
    this.dependency = dependency;
  }
}

/** For an exhaustive `switch (error.name)`. A new class above joins this union. */
export type AnyEndframeError = InvalidOptionError | LiveKitRESTError | PipelineError | MissingDependencyError;

/** The message of any thrown value. Never throws itself: not every value can be turned into a string. */
export function errorMessage(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return typeof thrown === 'object' ? 'an object without a text' : `a ${typeof thrown} without a text`;
  }
}
