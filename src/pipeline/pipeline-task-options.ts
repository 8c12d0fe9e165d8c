/** What a task can be told, and what it tells. */

import type { Frame } from '../frames/frame.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
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
import type { PipelineResult } from '../processors/frame-processor-setup.ts';
import type { HeartbeatOptions } from './heartbeat.ts';
import type { Observer } from './observer.ts';

/**
 * Time limits in milliseconds; `null` turns one off. Each is one for its phase: it is exceeded by a second at most,
 * however many processors hang and whatever waits in front of them.
 */
export interface PipelineTaskLimits {
  /** All processors' `setup()`. Default 20 000. */
  readonly setupTimeoutMs?: number | null;
  /**
   * From the StartFrame's entry to its exit. A processor whose `process()` has returned without pushing it is named in
   * the log after a second; after a quarter of this limit the frame goes on without it. Default 20 000.
   */
  readonly startTimeoutMs?: number | null;
  /**
   * How long nothing may move while an End or Stop frame is under way; how long that takes is not limited. Then every
   * call of `process()` that holds the frame up is given up. What waited behind those calls goes on; once nothing has
   * moved for another 800 ms, all that is left in front of the frame is dropped. Default 20 000.
   */
  readonly endStallTimeoutMs?: number | null;
  /** From the CancelFrame's entry to its exit. Default 2 000. */
  readonly cancelTimeoutMs?: number | null;
  /**
   * Each processor's and observer's `cleanup()`, and how long observers may get nowhere with what is still to be told.
   * Default 2 000.
   */
  readonly cleanupTimeoutMs?: number | null;
  /**
   * How long nobody may be heard: neither the bot, whatever it plays, nor a user, by voice, transcription, text or
   * key. A user's turn and a running function call count for as long as they last, up to an hour. Once an End or
   * Stop frame has entered the pipeline the timeout does not apply any more. Default 300 000.
   */
  readonly idleTimeoutMs?: number | null;
}

export interface PipelineTaskOptions extends PipelineTaskLimits {
  /** For logs. Default `'PipelineTask'`. */
  readonly name?: string;
  /** In hertz. Default 16 000. */
  readonly audioInSampleRate?: number;
  /** In hertz. Default 24 000. */
  readonly audioOutSampleRate?: number;
  readonly observers?: readonly Observer[];
  /** Whether the run is cancelled when nobody has spoken for `idleTimeoutMs`; the event comes anyway. Default true. */
  readonly cancelOnIdleTimeout?: boolean;
  /** Frames that hold the idle timeout off, and nothing else does. Default those with a {@link Frame.frameActivity}. */
  readonly idleTimeoutFrames?: readonly FrameClass[];
  /** Off by default; `true` for the default periods. */
  readonly heartbeats?: boolean | HeartbeatOptions;
  /** What to do when a processor reports that it is of no use any more. Default `'continue'`. */
  readonly processorUnusablePolicy?: 'continue' | 'end' | 'cancel';
  /** Put on the StartFrame's metadata. */
  readonly startMetadata?: Readonly<Record<string, unknown>>;
  /** Frames for which `frameReachedDownstream` is emitted. Default none. */
  readonly reachedDownstreamFilter?: readonly FrameClass[];
  /** Frames for which `frameReachedUpstream` is emitted. Default none. */
  readonly reachedUpstreamFilter?: readonly FrameClass[];
  readonly logger?: Logger;
}

/** What a task tells; `error` carries an {@link ErrorFrame} that got to the beginning of the pipeline. */
export interface PipelineTaskEvents {
  /** The StartFrame has come out of the pipeline. */
  started: () => void;
  /** The run is over; told once. */
  finished: (result: PipelineResult) => void;
  idleTimeout: () => void;
  /** No heartbeat came out for so many milliseconds; told again while that lasts. */
  heartbeatTimeout: (timeoutMs: number) => void;
  frameReachedDownstream: (frame: Frame) => void;
  frameReachedUpstream: (frame: Frame) => void;
}

/** A task's limits, with their defaults. */
const defaults: Required<PipelineTaskLimits> = {
  setupTimeoutMs: 20_000,
  startTimeoutMs: 20_000,
  endStallTimeoutMs: 20_000,
  cancelTimeoutMs: 2_000,
  cleanupTimeoutMs: 2_000,
  idleTimeoutMs: 300_000,
};

const known: Record<keyof PipelineTaskOptions, true> = {
  setupTimeoutMs: true,
  startTimeoutMs: true,
  endStallTimeoutMs: true,
  cancelTimeoutMs: true,
  cleanupTimeoutMs: true,
  idleTimeoutMs: true,
  name: true,
  audioInSampleRate: true,
  audioOutSampleRate: true,
  observers: true,
  cancelOnIdleTimeout: true,
  idleTimeoutFrames: true,
  heartbeats: true,
  processorUnusablePolicy: true,
  startMetadata: true,
  reachedDownstreamFilter: true,
  reachedUpstreamFilter: true,
  logger: true,
};

/**
 * @returns The limits, with their defaults.
 * @throws {InvalidOptionError} An option is unknown, or can never work.
 */
export function checkTaskOptions(options: PipelineTaskOptions): Required<PipelineTaskLimits> {
  checkOptions(options);
  checkNames(options, Object.keys(known));
  const { observers = [], heartbeats = false, logger, startMetadata = {} } = options;
  checkText('name', options.name ?? 'PipelineTask');
  for (const rate of ['audioInSampleRate', 'audioOutSampleRate'] as const)
    if (options[rate] !== undefined) checkRateHz(rate, options[rate]);
  if (!Array.isArray(observers))
    throw new InvalidOptionError('observers', 'an array of observers', observers);
  for (const observer of observers) checkObserver('observers', observer);
  checkBoolean('cancelOnIdleTimeout', options.cancelOnIdleTimeout ?? true);
  for (const name of ['idleTimeoutFrames', 'reachedDownstreamFilter', 'reachedUpstreamFilter'] as const)
    if (options[name] !== undefined) checkFrameClasses(name, options[name]);
  checkOneOf('processorUnusablePolicy', options.processorUnusablePolicy ?? 'continue', [
    'continue',
    'end',
    'cancel',
  ]);
  if (typeof heartbeats === 'object') checkHeartbeats(heartbeats);
  else checkBoolean('heartbeats', heartbeats);
  if (typeof startMetadata !== 'object' || startMetadata === null)
    throw new InvalidOptionError('startMetadata', 'an object', startMetadata);
  if (logger !== undefined) checkLogger('logger', logger);
  return checkLimits(options);
}

/** @throws {InvalidOptionError} `value` cannot observe anything. */
export function checkObserver(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw new InvalidOptionError(option, 'objects with methods of an Observer', value);
}

/** @throws {InvalidOptionError} `value` is no list of frame classes. */
export function checkFrameClasses(option: string, value: unknown): void {
  const wrong = Array.isArray(value) ? value.find((one) => typeof one !== 'function') : value;
  if (wrong !== undefined) throw new InvalidOptionError(option, 'an array of frame classes', wrong);
}

function checkLimits(options: PipelineTaskOptions): Required<PipelineTaskLimits> {
  const limits: Record<string, number | null> = {};
  for (const name of Object.keys(defaults) as (keyof PipelineTaskLimits)[]) {
    const value = options[name] === undefined ? defaults[name] : options[name];
    if (value !== null) checkDurationMs(name, value, { or: 'null' });
    limits[name] = value;
  }
  return limits as unknown as Required<PipelineTaskLimits>;
}

function checkHeartbeats(options: HeartbeatOptions): void {
  checkOptions(options);
  checkNames(options, ['periodMs', 'timeoutMs']);
  checkDurationMs('heartbeats.periodMs', options.periodMs ?? 1_000);
  checkDurationMs('heartbeats.timeoutMs', options.timeoutMs ?? 10_000);
}
