/** Options and events of a task. */

import type { Frame } from '../frames/frame.ts';
import { checkFrameClasses, type FrameClass } from '../frames/of-frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import {
  checkBoolean,
  checkDurationMs,
  checkLogger,
  checkNames,
  checkOneOf,
  checkOptions,
  checkRateHz,
  checkText,
} from '../lib/options.ts';
import type { Observer } from '../observers/observer.ts';
import type { PipelineResult } from '../processors/frame-processor-setup.ts';
import type { HeartbeatOptions } from './heartbeat.ts';

/**
 * Time limits in milliseconds; `null` turns one off. Each is for a phase as a whole: it is exceeded by a second at most,
 * independent of how many processors hang and of the frames ahead of them.
 */
export interface PipelineTaskLimits {
  /** All processors' `setup()`. Default 20 000. */
  readonly setupTimeoutMs?: number | null;
  /**
   * From the StartFrame's entry to its exit. A processor whose `process()` has settled without pushing it is named in
   * the log after a second; after a quarter of this limit the frame goes on without it. Default 20 000.
   */
  readonly startTimeoutMs?: number | null;
  /**
   * How long an End or Stop frame may make no progress; how long it takes in all is not limited. At the limit, every
   * pending call of `process()` in its way is abandoned, and what waited behind those calls goes on; after another
   * 800 ms without progress, all that is left ahead of the frame is dropped. Default 20 000.
   */
  readonly endStallTimeoutMs?: number | null;
  /** From the CancelFrame's entry to its exit. Default 2 000. */
  readonly cancelTimeoutMs?: number | null;
  /**
   * Each processor's and observer's `cleanup()`, and how long the observers' backlog may make no progress at the end.
   * Default 2 000.
   */
  readonly cleanupTimeoutMs?: number | null;
  /**
   * How long there may be no activity: of the bot, by audio, or of a user, by voice, transcription, text or key. A
   * user's turn and a running function call count for as long as they last, up to an hour. Once an End or Stop frame
   * has entered the pipeline the timeout does not apply any more. Default 300 000.
   */
  readonly idleTimeoutMs?: number | null;
}

/** Options of a task. */
export interface PipelineTaskOptions extends PipelineTaskLimits {
  /** For logs. Default `'PipelineTask'`. */
  readonly name?: string;
  /** In hertz. Default 16 000. */
  readonly audioInSampleRate?: number;
  /** In hertz. Default 24 000. */
  readonly audioOutSampleRate?: number;
  /** Default none. */
  readonly observers?: readonly Observer[];
  /** Whether the idle timeout cancels the run; the event is emitted anyway. Default true. */
  readonly cancelOnIdleTimeout?: boolean;
  /** Frames that reset the idle timeout; no others do. Default those with a {@link Frame.frameActivity}. */
  readonly idleTimeoutFrames?: readonly FrameClass[];
  /** Whether heartbeats are sent; `true` for the default periods. Default false. */
  readonly heartbeats?: boolean | HeartbeatOptions;
  /** What happens when a processor reports a permanent error. Default `'continue'`. */
  readonly processorUnusablePolicy?: 'continue' | 'end' | 'cancel';
  /** Copied to the StartFrame's metadata. Default none. */
  readonly startMetadata?: Readonly<Record<string, unknown>>;
  /** Frames for which `frameReachedDownstream` is emitted. Default none. */
  readonly reachedDownstreamFilter?: readonly FrameClass[];
  /** Frames for which `frameReachedUpstream` is emitted. Default none. */
  readonly reachedUpstreamFilter?: readonly FrameClass[];
  /** Default: warnings and errors to stderr. */
  readonly logger?: Logger;
}

/** Events of a task; `error` carries an {@link ErrorFrame} that has reached the beginning of the pipeline. */
export interface PipelineTaskEvents {
  /** The StartFrame has come out of the pipeline. */
  started: () => void;
  /** The run is over; emitted once. */
  finished: (result: PipelineResult) => void;
  /** Neither the bot nor a user was heard for `idleTimeoutMs`. */
  idleTimeout: () => void;
  /** No heartbeat came out for so many milliseconds; repeated while that lasts. */
  heartbeatTimeout: (timeoutMs: number) => void;
  /** A frame of `reachedDownstreamFilter` has come out downstream. */
  frameReachedDownstream: (frame: Frame) => void;
  /** A frame of `reachedUpstreamFilter` has come out upstream. */
  frameReachedUpstream: (frame: Frame) => void;
}

/** The options with their defaults. */
export type ResolvedTaskOptions = Required<Omit<PipelineTaskOptions, 'idleTimeoutFrames'>> & {
  readonly idleTimeoutFrames: readonly FrameClass[] | undefined;
};

const defaults: ResolvedTaskOptions = {
  setupTimeoutMs: 20_000,
  startTimeoutMs: 20_000,
  endStallTimeoutMs: 20_000,
  cancelTimeoutMs: 2_000,
  cleanupTimeoutMs: 2_000,
  idleTimeoutMs: 300_000,
  name: 'PipelineTask',
  audioInSampleRate: 16_000,
  audioOutSampleRate: 24_000,
  observers: [],
  cancelOnIdleTimeout: true,
  idleTimeoutFrames: undefined,
  heartbeats: false,
  processorUnusablePolicy: 'continue',
  startMetadata: {},
  reachedDownstreamFilter: [],
  reachedUpstreamFilter: [],
  logger: stderrLogger,
};

const limits = [
  'setupTimeoutMs',
  'startTimeoutMs',
  'endStallTimeoutMs',
  'cancelTimeoutMs',
  'cleanupTimeoutMs',
  'idleTimeoutMs',
] as const;

/** @throws {InvalidOptionError} An option is unknown, or can never work. */
export function resolveTaskOptions(options: PipelineTaskOptions): ResolvedTaskOptions {
  checkOptions(options);
  checkNames(options, Object.keys(defaults));
  const names = Object.keys(defaults) as (keyof PipelineTaskOptions)[];
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  const resolved: ResolvedTaskOptions = { ...defaults, ...Object.fromEntries(given) };
  checkText('name', resolved.name);
  checkRateHz('audioInSampleRate', resolved.audioInSampleRate);
  checkRateHz('audioOutSampleRate', resolved.audioOutSampleRate);
  if (!Array.isArray(resolved.observers))
    throw new InvalidOptionError('observers', 'an array of observers', resolved.observers);
  for (const observer of resolved.observers) checkObserver('observers', observer);
  checkBoolean('cancelOnIdleTimeout', resolved.cancelOnIdleTimeout);
  for (const name of ['idleTimeoutFrames', 'reachedDownstreamFilter', 'reachedUpstreamFilter'] as const)
    if (resolved[name] !== undefined) checkFrameClasses(name, resolved[name]);
  checkOneOf('processorUnusablePolicy', resolved.processorUnusablePolicy, ['continue', 'end', 'cancel']);
  if (typeof resolved.heartbeats === 'object') checkHeartbeats(resolved.heartbeats);
  else checkBoolean('heartbeats', resolved.heartbeats);
  if (typeof resolved.startMetadata !== 'object' || resolved.startMetadata === null)
    throw new InvalidOptionError('startMetadata', 'an object', resolved.startMetadata);
  checkLogger('logger', resolved.logger);
  for (const name of limits)
    if (resolved[name] !== null) checkDurationMs(name, resolved[name], { or: 'null' });
  return { ...resolved, logger: safeLogger(resolved.logger) };
}

/** @throws {InvalidOptionError} `value` is no object. */
export function checkObserver(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw new InvalidOptionError(option, 'objects with methods of an Observer', value);
}

function checkHeartbeats(options: HeartbeatOptions): void {
  checkOptions(options);
  checkNames(options, ['periodMs', 'timeoutMs']);
  checkDurationMs('heartbeats.periodMs', options.periodMs ?? 1_000);
  checkDurationMs('heartbeats.timeoutMs', options.timeoutMs ?? 10_000);
}
