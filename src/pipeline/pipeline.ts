/** Processors in a row. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkFunction, checkNames, checkOptions, checkText } from '../lib/options.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { isInUse } from './processors-in-use.ts';
import { cleanUpAll, setUpAll } from './setup-all.ts';

type FrameHandler = (frame: Frame, direction: FrameDirection) => void;

/** The ends of a pipeline, and its name. */
export interface PipelineEnds {
  /** Gets the frames that leave upstream. Default: pushed to the neighbour. */
  readonly upstream?: FrameHandler;
  /** Gets the frames that leave downstream. Default: pushed to the neighbour. */
  readonly downstream?: FrameHandler;
  /** Default class name and number, such as `Pipeline#0`. */
  readonly name?: string;
}

/**
 * Processors in a row. Itself a processor, so pipelines nest; frames pass it synchronously. A processor may be in
 * several pipelines, but only in one that runs.
 *
 * @example
 * ```ts
 * new Pipeline([transport.input(), new Upper(), transport.output()]);
 * ```
 * @see Pipecat `pipeline/pipeline.py`, `Pipeline`
 */
export class Pipeline extends FrameProcessor {
  readonly #source: PipelineEnd;
  readonly #sink: PipelineEnd;
  readonly #processors: readonly FrameProcessor[];
  #setup: FrameProcessorSetup | undefined;
  /** Behind a CancelFrame no frame enters, from either end. */
  #isCancelled = false;

  /**
   * @param processors In downstream order; may be empty.
   * @throws {InvalidOptionError} When it is not a list of processors, or has one twice; an option is unknown, or wrong.
   */
  constructor(processors: readonly FrameProcessor[], ends: PipelineEnds = {}) {
    checkEnds(ends);
    const { upstream, downstream, name } = ends;
    super(name === undefined ? { directMode: true } : { directMode: true, name });
    checkProcessors('processors', processors);
    this.#source = new PipelineEnd('upstream', upstream ?? ((frame) => this.push(frame, 'upstream')));
    this.#sink = new PipelineEnd('downstream', downstream ?? ((frame) => this.push(frame, 'downstream')));
    this.#processors = [...processors];
    if (!processors.some(isInUse)) this.#linkAll();
  }

  override get processors(): readonly FrameProcessor[] {
    return this.#processors;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    super.setup(setup);
    this.#linkAll();
    this.#setup = setup;
    this.#isCancelled = false;
    this.#source.setup(setup);
    this.#sink.setup(setup);
    return setUpAll(this.#processors, setup);
  }

  override cleanup(): void | Promise<void> {
    super.cleanup();
    this.#source.cleanup();
    this.#sink.cleanup();
    if (this.#setup !== undefined) return cleanUpAll(this.#processors, this.#setup);
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#isCancelled) return;
    if (frame.frameRole === 'cancel') this.#isCancelled = true;
    if (direction === 'downstream') this.#source.queueFrame(frame, direction);
    else this.#sink.queueFrame(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }

  /** Also at setup: in the meantime a processor may have been in another pipeline. */
  #linkAll(): void {
    let last: FrameProcessor = this.#source;
    for (const processor of [...this.#processors, this.#sink]) {
      last.link(processor);
      last = processor;
    }
  }
}

/**
 * One end of a pipeline: calls a handler synchronously with the frames that leave there, and lets in those that enter.
 * Behind a CancelFrame it drops all frames, in both directions.
 *
 * @see Pipecat `pipeline/pipeline.py`, `PipelineSource` and `PipelineSink`
 */
class PipelineEnd extends FrameProcessor {
  readonly #exit: FrameDirection;
  readonly #onExit: FrameHandler;
  #isCancelled = false;

  /** @param exit The direction in which frames leave the pipeline here. */
  constructor(exit: FrameDirection, onExit: FrameHandler) {
    super({ directMode: true });
    this.#exit = exit;
    this.#onExit = onExit;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#isCancelled = false;
    return super.setup(setup);
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#isCancelled) return;
    if (frame.frameRole === 'cancel') this.#isCancelled = true;
    if (direction === this.#exit) this.#onExit(frame, direction);
    else this.push(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}

function checkEnds(ends: PipelineEnds): void {
  checkOptions(ends);
  checkNames(ends, ['upstream', 'downstream', 'name']);
  for (const end of ['upstream', 'downstream'] as const)
    if (ends[end] !== undefined) checkFunction(end, ends[end]);
  if (ends.name !== undefined) checkText('name', ends.name);
}

/** @throws {InvalidOptionError} */
export function checkProcessors(option: string, processors: readonly FrameProcessor[]): void {
  if (!Array.isArray(processors))
    throw new InvalidOptionError(option, 'an array of FrameProcessors', processors);
  const seen = new Set<FrameProcessor>();
  for (const processor of processors) {
    if (!(processor instanceof FrameProcessor)) {
      throw new InvalidOptionError(option, 'an array of FrameProcessors', processor);
    }
    if (seen.has(processor)) throw new InvalidOptionError(option, 'free of duplicates', processor.name);
    seen.add(processor);
  }
}
