/** Joins the keys that a caller presses into text. */

import { Subscription, timer } from 'rxjs';
import { InputDTMFFrame, isKeypadEntry, type KeypadEntry } from '../frames/dtmf.ts';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import { TranscriptionFrame } from '../frames/text.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkDurationMs } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Options of a DTMF aggregator. */
export interface DTMFAggregatorOptions extends FrameProcessorOptions {
  /** Longest pause between two keys of a sequence, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
  /** The key that ends a sequence at once, and is part of it. Default `#`. */
  readonly terminationKey?: KeypadEntry;
  /** Beginning of the text. Default `DTMF: `. */
  readonly prefix?: string;
}

/** The keys that one participant has pressed so far. */
interface KeySequence {
  keys: string;
  /** Ends the sequence after the pause. */
  timeUp: Subscription;
}

/**
 * Turns the keys that a caller presses into text for a language model. Each participant has a sequence of its own.
 *
 * Frames in: {@link InputDTMFFrame}; everything passes through.
 * Frames out: an interruption in both directions with the first key of a sequence, and one
 * {@link TranscriptionFrame} of the participant, such as `DTMF: 42#`, at its end: the termination key, the time limit,
 * or a terminal frame.
 *
 * @throws {InvalidOptionError} `timeoutMs` is not a positive, finite number, or `terminationKey` is no key, or
 * `prefix` no string.
 * @see Pipecat `processors/aggregators/dtmf_aggregator.py`, `DTMFAggregator`; there the keys of all participants are one sequence.
 */
export class DTMFAggregator extends FrameProcessor {
  readonly #terminationKey: KeypadEntry;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  /** By the participant's identity, in the order in which the sequences began. */
  readonly #sequences = new Map<string | undefined, KeySequence>();
  #isRunning = false;

  constructor(options: DTMFAggregatorOptions = {}) {
    super(options);
    const { timeoutMs = 2_000, terminationKey = '#', prefix = 'DTMF: ' } = options;
    checkDurationMs('timeoutMs', timeoutMs);
    if (!isKeypadEntry(terminationKey)) {
      throw new InvalidOptionError('terminationKey', 'one of the keys 0 to 9, * and #', terminationKey);
    }
    if (typeof prefix !== 'string') throw new InvalidOptionError('prefix', 'a string', prefix);
    this.#timeoutMs = timeoutMs;
    this.#terminationKey = terminationKey;
    this.#prefix = prefix;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (roleOf(frame) === 'start') this.#isRunning = true;
    if (isTerminalFrame(frame)) this.#finish();
    this.push(frame, direction);
    if (frame instanceof InputDTMFFrame && this.#isRunning) this.#pressed(frame.button, frame.userId);
  }

  override async cleanup(): Promise<void> {
    this.#isRunning = false;
    for (const { timeUp } of this.#sequences.values()) timeUp.unsubscribe();
    this.#sequences.clear();
    await super.cleanup();
  }

  #pressed(key: KeypadEntry, userId: string | undefined): void {
    const sequence = this.#sequences.get(userId) ?? { keys: '', timeUp: Subscription.EMPTY };
    const isFirst = sequence.keys === '';
    sequence.keys += key;
    this.#sequences.set(userId, sequence);
    if (isFirst) this.broadcastInterruption();
    sequence.timeUp.unsubscribe();
    if (key === this.#terminationKey) this.#flush(userId);
    else sequence.timeUp = timer(this.#timeoutMs).subscribe(() => this.#flush(userId));
  }

  #flush(userId: string | undefined): void {
    const sequence = this.#sequences.get(userId);
    if (sequence === undefined) return;
    sequence.timeUp.unsubscribe();
    this.#sequences.delete(userId);
    this.push(new TranscriptionFrame(this.#prefix + sequence.keys, userId, new Date().toISOString()));
  }

  #finish(): void {
    this.#isRunning = false;
    for (const userId of [...this.#sequences.keys()]) this.#flush(userId);
  }
}
