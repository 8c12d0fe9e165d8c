import type { Frame, FrameDirection } from '../frames/frame.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkFunction, checkNames, checkOptions, checkText } from '../lib/options.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { type FrameHandler, PipelineEdge } from './pipeline-edge.ts';
import { isInUse } from './processors-in-use.ts';
import { cleanUpAll, setUpAll } from './set-up-and-clean-up.ts';

export interface PipelineEnds {
  /** Gets what leaves upstream. Default: pushed on to the neighbour. */
  readonly upstream?: FrameHandler;
  /** Gets what leaves downstream. Default: pushed on to the neighbour. */
  readonly downstream?: FrameHandler;
  readonly name?: string;
}

/**
 * Processors in a row. Itself a processor, so pipelines nest; frames pass it as if it was not there. A processor may be
 * in several pipelines, but only in one that runs.
 *
 * @see Pipecat `pipeline/pipeline.py`, `Pipeline`
 */
export class Pipeline extends FrameProcessor {
  readonly #source: PipelineEdge;
  readonly #sink: PipelineEdge;
  readonly #processors: readonly FrameProcessor[];
  #setup: FrameProcessorSetup | undefined;
  /** Behind a CancelFrame nothing comes in any more, from either end. */
  #isCancelled = false;

  /**
   * @param processors In the order of the way downstream; may be empty.
   * @throws {InvalidOptionError} When it is not a list of processors, or has one twice; an option is unknown, or wrong.
   */
  constructor(processors: readonly FrameProcessor[], ends: PipelineEnds = {}) {
    checkEnds(ends);
    const { upstream, downstream, name } = ends;
    super(name === undefined ? { directMode: true } : { directMode: true, name });
    checkProcessors('processors', processors);
    this.#source = new PipelineEdge('upstream', upstream ?? ((frame) => this.push(frame, 'upstream')));
    this.#sink = new PipelineEdge('downstream', downstream ?? ((frame) => this.push(frame, 'downstream')));
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

  /** Also at setup: meanwhile a processor may have been in another pipeline. */
  #linkAll(): void {
    let last: FrameProcessor = this.#source;
    for (const processor of [...this.#processors, this.#sink]) {
      last.link(processor);
      last = processor;
    }
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
