/** A processor made of RxJS operators. */

import { defer, type OperatorFunction, Subject, Subscription } from 'rxjs';
import { type Frame, type FrameDirection, isFrame, isFrameworkFrame, roleOf } from '../frames/frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkFunction } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/**
 * Makes a processor of RxJS operators.
 *
 * Frames in: all downstream frames but interruptions and the framework's own (lifecycle frames, requests to the task,
 * flush probes, heartbeats, pause and resume) go through the operator, and what it emits goes on downstream,
 * synchronously or later. Frames that it does not emit are dropped. Upstream frames, interruptions and the framework's own bypass it.
 *
 * Lifecycle frames keep their place. The operator is subscribed behind the StartFrame. At an End or Stop frame
 * its source completes, and the frame waits until the operator has completed too; so an operator that brings in
 * sources of its own must end them with `frames$`. A CancelFrame, and `cleanup()`, unsubscribe.
 *
 * An interruption resubscribes: what the operator buffered is dropped. An error in it becomes an ErrorFrame, and the
 * next frame resubscribes.
 *
 * @example
 * ```ts
 * operatorProcessor((frames$) => frames$.pipe(filter((frame) => !(frame instanceof TextFrame))));
 * ```
 *
 * @throws {InvalidOptionError} `operator` is no function.
 */
export function operatorProcessor(
  operator: OperatorFunction<Frame, Frame>,
  options?: FrameProcessorOptions,
): FrameProcessor {
  return new OperatorProcessor(operator, options);
}

/** One subscription to the operator. */
interface Flow {
  readonly source: Subject<Frame>;
  readonly subscription: Subscription;
  /** Whether it has completed or failed. */
  over: boolean;
}

class OperatorProcessor extends FrameProcessor {
  readonly #operator: OperatorFunction<Frame, Frame>;
  #flow: Flow | undefined;
  /** Set while a terminal frame waits for the operator to complete. */
  #completed: (() => void) | undefined;

  constructor(operator: OperatorFunction<Frame, Frame>, options?: FrameProcessorOptions) {
    super(options);
    checkFunction('operator', operator);
    this.#operator = operator;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    const role = roleOf(frame);
    if ((role === 'end' || role === 'stop') && direction === 'downstream') return this.#finish(frame);
    if (role === 'interruption') this.#restart();
    else if (role === 'cancel') this.#stop();
    else if (!isFrameworkFrame(frame) && direction === 'downstream' && this.#completed === undefined) {
      (this.#flow ?? this.#start()).source.next(frame);
      return;
    }
    this.push(frame, direction);
    if (role === 'start') this.#restart();
  }

  override async cleanup(): Promise<void> {
    this.#stop();
    await super.cleanup();
  }

  #start(): Flow {
    const flow: Flow = { source: new Subject(), subscription: new Subscription(), over: false };
    this.#flow = flow;
    // it may emit, fail or complete before subscribe() returns
    flow.subscription.add(
      defer(() => this.#operator(flow.source.asObservable())).subscribe({
        next: (frame) => this.#emit(frame),
        error: (error) => {
          this.pushError({ error });
          if (this.#flow === flow) this.#flow = undefined;
          this.#end(flow);
        },
        complete: () => this.#end(flow),
      }),
    );
    return flow;
  }

  #emit(frame: Frame): void {
    // an error thrown here would be uncaught
    if (isFrame(frame)) this.push(frame);
    else
      this.pushError({ error: new InvalidOptionError('operator', 'an operator that emits frames', frame) });
  }

  #end(flow: Flow): void {
    flow.over = true;
    this.#completed?.();
  }

  #stop(): void {
    const flow = this.#flow;
    this.#flow = undefined;
    flow?.subscription.unsubscribe();
    this.#completed?.();
  }

  #restart(): void {
    const isEnding = this.#completed !== undefined;
    this.#stop();
    if (!isEnding) this.#start();
  }

  #finish(frame: Frame): void | Promise<void> {
    const flow = this.#flow;
    flow?.source.complete();
    if (flow === undefined || flow.over) this.push(frame);
    else return this.#finishLater(frame);
  }

  async #finishLater(frame: Frame): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#completed = resolve;
    });
    this.#completed = undefined;
    this.push(frame);
  }
}
