/** Calls back when no frames pass for a while. */

import { catchError, defer, EMPTY, exhaustMap, Subject, type Subscription, switchMap, timer } from 'rxjs';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import { checkFrameClasses, type FrameClass, isOneOf } from '../frames/of-frame.ts';
import { checkDurationMs, checkFunction } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Options of an idle frame processor. */
export interface IdleFrameProcessorOptions extends FrameProcessorOptions {
  /** The timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** Called after each `timeoutMs` in which no frame passed; not while an earlier call is pending. */
  readonly onIdle: (processor: IdleFrameProcessor) => void | Promise<void>;
  /** Which frames count, with their subclasses. Default: all of them. */
  readonly types?: readonly FrameClass[];
}

/**
 * Calls `onIdle` when no frame, or none of certain classes, has passed for `timeoutMs`, repeatedly.
 *
 * Active from the StartFrame to the End, Stop or Cancel frame. A frame that passes while `onIdle` runs counts.
 * What `onIdle` throws becomes an ErrorFrame. All frames pass.
 *
 * @throws {InvalidOptionError} `timeoutMs` is not a positive, finite number, `onIdle` no function, or `types` no list
 * of frame classes.
 * @see Pipecat `processors/idle_frame_processor.py`, `IdleFrameProcessor`
 */
export class IdleFrameProcessor extends FrameProcessor {
  readonly #timeoutMs: number;
  readonly #onIdle: (processor: IdleFrameProcessor) => void | Promise<void>;
  readonly #types: readonly FrameClass[];
  readonly #activity = new Subject<void>();
  #subscription: Subscription | undefined;

  constructor(options: IdleFrameProcessorOptions) {
    super(options);
    const { timeoutMs, onIdle, types = [] } = options;
    checkDurationMs('timeoutMs', timeoutMs);
    checkFunction('onIdle', onIdle);
    checkFrameClasses('types', types);
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
    this.#types = types;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (roleOf(frame) === 'start') this.#watch();
    this.push(frame, direction);
    if (isTerminalFrame(frame)) this.#subscription?.unsubscribe();
    else if (this.#counts(frame)) this.#activity.next();
  }

  override async cleanup(): Promise<void> {
    this.#subscription?.unsubscribe();
    await super.cleanup();
  }

  #watch(): void {
    this.#subscription?.unsubscribe();
    const idle$ = this.#activity.pipe(switchMap(() => timer(this.#timeoutMs, this.#timeoutMs)));
    const calls$ = idle$.pipe(
      exhaustMap(() =>
        defer(async () => this.#onIdle(this)).pipe(
          catchError((error) => {
            this.pushError({ error });
            return EMPTY;
          }),
        ),
      ),
    );
    this.#subscription = calls$.subscribe();
    this.#activity.next();
  }

  #counts(frame: Frame): boolean {
    return this.#types.length === 0 || isOneOf(frame, this.#types);
  }
}
