/** Logs each hop of each frame. */

import type { Frame } from '../frames/frame.ts';
import { checkFrameClasses, type FrameClass, isOneOf } from '../frames/of-frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import { checkMethods, checkOneOf } from '../lib/options.ts';
import { logLevels, ownFields } from '../processors/frame-logger.ts';
import type { FramePushed, Observer } from './observer.ts';
import { checkProcessorClasses, type ProcessorClass } from './processor-classes.ts';

/** Options of a log observer. */
export interface LogObserverOptions {
  /** Which frames are logged, with subclasses. Default all. */
  readonly frames?: readonly FrameClass[];
  /** Only hops from or to such a processor, with subclasses. Default all. */
  readonly processors?: readonly ProcessorClass[];
  /** Fields that are not logged, such as transcripts. Default none. */
  readonly excludedFields?: readonly string[];
  /** Default `'debug'`, which the default logger does not show. */
  readonly level?: keyof Logger;
  /** Default: warnings and errors to stderr. */
  readonly logger?: Logger;
}

/**
 * Writes a log line for each hop of each frame: source, destination, and the frame's own fields.
 *
 * The fields contain transcripts: store such logs accordingly.
 *
 * @see Pipecat `observers/loggers/debug_log_observer.py`, `DebugLogObserver`
 */
export class LogObserver implements Observer {
  readonly #options: LogObserverOptions;
  readonly #excluded: ReadonlySet<string>;
  readonly #level: keyof Logger;
  readonly #logger: Logger;

  /** @throws {InvalidOptionError} An option can never work. */
  constructor(options: LogObserverOptions = {}) {
    const { frames, processors, excludedFields, level = 'debug', logger = stderrLogger } = options;
    if (frames !== undefined) checkFrameClasses('frames', frames);
    if (processors !== undefined) checkProcessorClasses('processors', processors);
    if (excludedFields !== undefined && !Array.isArray(excludedFields)) {
      throw new InvalidOptionError('excludedFields', 'a list of names', excludedFields);
    }
    checkOneOf('level', level, logLevels);
    checkMethods('logger', logger, logLevels);
    this.#options = options;
    this.#excluded = new Set(excludedFields);
    this.#level = level;
    this.#logger = safeLogger(logger);
  }

  onPushFrame(hop: FramePushed): void {
    if (!this.#isWanted(hop)) return;
    const { frame, source, destination, direction, timestampMs } = hop;
    this.#logger[this.#level](
      {
        ...this.#fieldsOf(frame),
        frame: frame.name,
        source: source.name,
        destination: destination?.name,
        direction,
        timestampMs,
      },
      'frame',
    );
  }

  #isWanted({ frame, source, destination }: FramePushed): boolean {
    const { frames, processors } = this.#options;
    if (frames !== undefined && !isOneOf(frame, frames)) return false;
    if (processors === undefined) return true;
    return processors.some((one) => source instanceof one || destination instanceof one);
  }

  #fieldsOf(frame: Frame): Record<string, unknown> {
    const fields = Object.entries(ownFields(frame));
    return Object.fromEntries(fields.filter(([field]) => !this.#excluded.has(field)));
  }
}
