/** The frame that reports an error, and its categories. */

import { errorMessage } from '../lib/errors.ts';
import { SystemFrame } from './frame.ts';

/** What sort of trouble it is. The first three do not pass by themselves: the processor is of no use any more. */
export type ErrorCategory =
  | 'authentication'
  | 'authorization'
  | 'invalid_request'
  | 'rate_limit'
  | 'quota'
  | 'connectivity'
  | 'server'
  | 'application'
  | 'unknown';

/** Something with a name; a frame does not know processors. */
export interface Named {
  /** The name. */
  readonly name: string;
}

/** Options of an {@link ErrorFrame}. */
export interface ErrorFrameOptions {
  /** What happened: a text, or what was thrown. */
  readonly error: unknown;
  /** The processor in which it happened. */
  readonly processor?: Named | undefined;
  /** Default `'unknown'`. */
  readonly category?: ErrorCategory | undefined;
  /** What was thrown, where `error` is a text about it. */
  readonly cause?: unknown;
}

/**
 * Something went wrong. Travels upstream to the task, which reports it; the pipeline goes on.
 *
 * @see Pipecat `frames/frames.py`, `ErrorFrame`
 */
export class ErrorFrame extends SystemFrame {
  static {
    ErrorFrame.hasRole('error');
  }
  /** What happened, as text. */
  readonly error: string;
  /** What was thrown, where something was. */
  readonly cause: unknown;
  /** The processor in which it happened; `undefined` where unknown. */
  readonly processor: Named | undefined;
  /** The category. Default `'unknown'`. */
  readonly category: ErrorCategory;

  constructor({ error, processor, category = 'unknown', cause }: ErrorFrameOptions) {
    super();
    this.error = errorMessage(error);
    this.cause = cause ?? (typeof error === 'string' ? undefined : error);
    this.processor = processor;
    this.category = category;
  }
}
