/** Logs the frames at one place of a pipeline. */

import { InputAudioRawFrame, OutputAudioRawFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import { checkFrameClasses, type FrameClass, isOneOf } from '../frames/of-frame.ts';
import { BotSpeakingFrame, UserSpeakingFrame } from '../frames/speaking.ts';
import { type Logger, safeLogger } from '../lib/logger.ts';
import { checkMethods, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Options of a frame logger. */
export interface FrameLoggerOptions extends FrameProcessorOptions {
  /** The message of each line. Default `frame`. */
  readonly prefix?: string;
  /** Default `'debug'`, which the default logger does not show. */
  readonly level?: keyof Logger;
  /** Where the lines go. Default: the task's logger. */
  readonly logger?: Logger;
  /** Frames that are not logged, with subclasses. Default: audio, `BotSpeakingFrame` and `UserSpeakingFrame`. */
  readonly ignored?: readonly FrameClass[];
}

const noise: readonly FrameClass[] = [
  InputAudioRawFrame,
  OutputAudioRawFrame,
  BotSpeakingFrame,
  UserSpeakingFrame,
];

/** The levels of a logger. */
export const logLevels: readonly (keyof Logger)[] = ['debug', 'info', 'warn', 'error'];

/** Fields that are logged otherwise, or only when they are set. */
const common: ReadonlySet<string> = new Set(['id', 'uninterruptible', 'metadata']);

/**
 * Writes a log line for each frame that passes: its name, its direction, and its own fields. All frames pass.
 *
 * The fields contain transcripts: store such logs accordingly.
 *
 * @see Pipecat `processors/logger.py`, `FrameLogger`
 */
export class FrameLogger extends FrameProcessor {
  readonly #prefix: string;
  readonly #level: keyof Logger;
  readonly #logger: Logger | undefined;
  readonly #ignored: readonly FrameClass[];

  /** @throws {InvalidOptionError} An option can never work. */
  constructor(options: FrameLoggerOptions = {}) {
    super(options);
    const { prefix = 'frame', level = 'debug', logger, ignored = noise } = options;
    checkOneOf('level', level, logLevels);
    if (logger !== undefined) checkMethods('logger', logger, logLevels);
    checkFrameClasses('ignored', ignored);
    this.#prefix = prefix;
    this.#level = level;
    this.#logger = logger === undefined ? undefined : safeLogger(logger);
    this.#ignored = ignored;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (!isOneOf(frame, this.#ignored)) {
      const logger = this.#logger ?? this.logger;
      logger[this.#level]({ ...ownFields(frame), frame: frame.name, direction }, this.#prefix);
    }
    this.push(frame, direction);
  }
}

/** The fields that are set; binary data as its size. */
export function ownFields(frame: Frame): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(frame)) {
    if (value === undefined || common.has(field)) continue;
    fields[field] = ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : value;
  }
  if (Object.keys(frame.metadata).length > 0) fields.metadata = frame.metadata;
  return fields;
}
