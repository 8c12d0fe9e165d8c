import { EMPTY, Subject, type Subscription, switchMap, timer } from 'rxjs';
import { InvalidOptionError } from '../errors.ts';
import { InputDTMFFrame, isKeypadEntry, type KeypadEntry } from '../frames/dtmf.ts';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import { TranscriptionFrame } from '../frames/text.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

export interface DTMFAggregatorOptions extends FrameProcessorOptions {
  /** How long after a key the next one may come, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
  /** The key that ends a sequence at once, and belongs to it. Default `#`. */
  readonly terminationKey?: KeypadEntry;
  /** What the text begins with. Default `DTMF: `. */
  readonly prefix?: string;
}

/**
 * Makes a text of the keys that a caller presses, for a language model to read.
 *
 * Frames in: {@link InputDTMFFrame}; everything passes through.
 * Frames out: an interruption in both directions with the first key of a sequence, and one
 * {@link TranscriptionFrame} such as `DTMF: 42#` at its end: the termination key, the time limit, or a terminal
 * frame.
 *
 * @throws {InvalidOptionError} `timeoutMs` is not a positive, finite number, or `terminationKey` is no key.
 * @see Pipecat `processors/aggregators/dtmf_aggregator.py`, `DTMFAggregator`
 */
export class DTMFAggregator extends FrameProcessor {
  readonly #terminationKey: KeypadEntry;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Subject<boolean>();
  #subscription: Subscription | undefined;
  #keys = '';

  constructor(options: DTMFAggregatorOptions = {}) {
    super(options);
    const { timeoutMs = 2_000, terminationKey = '#', prefix = 'DTMF: ' } = options;
    if (!(timeoutMs > 0 && Number.isFinite(timeoutMs))) {
      throw new InvalidOptionError('timeoutMs', 'a positive, finite number of milliseconds', timeoutMs);
    }
    if (!isKeypadEntry(terminationKey)) {
      throw new InvalidOptionError('terminationKey', 'one of the keys 0 to 9, * and #', terminationKey);
    }
    this.#timeoutMs = timeoutMs;
    this.#terminationKey = terminationKey;
    this.#prefix = prefix;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (roleOf(frame) === 'start') this.#watch();
    if (isTerminalFrame(frame)) {
      this.#flush();
      this.#subscription?.unsubscribe();
    }
    this.push(frame, direction);
    if (frame instanceof InputDTMFFrame) this.#pressed(frame.button);
  }

  override async cleanup(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#keys = '';
    await super.cleanup();
  }

  #watch(): void {
    this.#subscription?.unsubscribe();
    const timeUp$ = this.#waiting.pipe(switchMap((waiting) => (waiting ? timer(this.#timeoutMs) : EMPTY)));
    this.#subscription = timeUp$.subscribe(() => this.#flush());
  }

  #pressed(key: KeypadEntry): void {
    const isFirst = this.#keys === '';
    this.#keys += key;
    if (isFirst) this.broadcastInterruption();
    if (key === this.#terminationKey) this.#flush();
    else this.#waiting.next(true);
  }

  #flush(): void {
    this.#waiting.next(false);
    if (this.#keys === '') return;
    const text = this.#prefix + this.#keys;
    this.#keys = '';
    this.push(new TranscriptionFrame(text, '', new Date().toISOString()));
  }
}
