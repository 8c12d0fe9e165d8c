/** From the notation of a scenario to processors. */

import type { Named } from '../../src/frames/error-frame.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { ConsumerProcessor } from '../../src/processors/consumer-processor.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { FunctionFilter } from '../../src/processors/function-filter.ts';
import { GatedAggregator } from '../../src/processors/gated-aggregator.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import {
  type FrameTransform,
  ProducerProcessor,
  sameFrame,
} from '../../src/processors/producer-processor.ts';
import { frameClassOf, matches, retag } from './frame-notation.ts';
import type { ProcessorSpec, ProducerSpec, TransformSpec } from './scenario.ts';
import {
  Delay,
  Emit,
  Hang,
  Hold,
  Interrupt,
  Pause,
  Probe,
  type ProbeLog,
  Swallow,
  Tag,
  Throw,
} from './vocabulary.ts';

/** What the processors of one scenario find each other by. */
export class ProcessorRegistry {
  readonly #named = new Map<string, FrameProcessor>();
  readonly #producers = new Map<string, ProducerProcessor>();
  readonly #probe: (id: string) => ProbeLog;

  constructor(probe: (id: string) => ProbeLog) {
    this.#probe = probe;
  }

  /** The processor of that name; one that does not exist (yet) is just a name. */
  readonly find = (name: string): Named => this.#named.get(name) ?? { name };

  /** Whether the scenario itself gave that name. */
  readonly isNamed = (name: string): boolean => this.#named.has(name);

  /** Builds the processors of the outermost list. */
  build(specs: readonly ProcessorSpec[]): FrameProcessor[] {
    // a consumer may stand before its producer, in a branch of its own
    for (const spec of everySpec(specs)) {
      if (spec.type === 'producer') this.#producers.set(spec.id, producer(spec));
    }
    return this.#buildList(specs);
  }

  #buildList(specs: readonly ProcessorSpec[]): FrameProcessor[] {
    return specs.map((spec) => {
      const built = this.#buildOne(spec);
      if ('name' in spec && spec.name !== undefined) this.#named.set(spec.name, built);
      return built;
    });
  }

  #buildOne(spec: ProcessorSpec): FrameProcessor {
    switch (spec.type) {
      case 'identity':
        return new IdentityFilter(spec.name === undefined ? {} : { name: spec.name });
      case 'delay':
        return new Delay(spec);
      case 'swallow':
        return new Swallow(spec);
      case 'hang':
        return new Hang(spec);
      case 'throw':
        return new Throw(spec);
      case 'tag':
        return new Tag(spec);
      case 'emit':
        return new Emit(spec, this.find);
      case 'interrupt':
        return new Interrupt(spec);
      case 'hold':
        return new Hold(spec);
      case 'pause':
        return new Pause(spec);
      case 'probe':
        return new Probe(spec, this.#probe(spec.id));
      case 'pipeline':
        return new Pipeline(this.#buildList(spec.processors));
      case 'parallel':
        return new ParallelPipeline(...spec.branches.map((branch) => this.#buildList(branch)));
      case 'frameFilter':
        return new FrameFilter(spec.frames.map(frameClassOf));
      case 'functionFilter':
        return new FunctionFilter((frame, direction) => matches(spec.allow, frame, direction), {
          direction: spec.direction ?? 'downstream',
          filterSystemFrames: spec.filterSystemFrames ?? false,
        });
      case 'gatedAggregator':
        return new GatedAggregator({
          open: (frame, direction) => matches(spec.open, frame, direction),
          close: (frame, direction) => matches(spec.close, frame, direction),
          startOpen: spec.startOpen,
          direction: spec.direction ?? 'downstream',
        });
      case 'producer':
        return this.#producerOf(spec.id);
      case 'consumer':
        return new ConsumerProcessor(this.#producerOf(spec.producer), {
          direction: spec.direction ?? 'downstream',
          transform: transformOf(spec.transform),
        });
      default:
        throw new Error(`The traces know no processor "${(spec as { type: string }).type}"`);
    }
  }

  #producerOf(id: string): ProducerProcessor {
    const found = this.#producers.get(id);
    if (found === undefined) throw new Error(`The scenario has no producer "${id}"`);
    return found;
  }
}

function everySpec(specs: readonly ProcessorSpec[]): ProcessorSpec[] {
  return specs.flatMap((spec) => {
    if (spec.type === 'pipeline') return everySpec(spec.processors);
    if (spec.type === 'parallel') return spec.branches.flatMap(everySpec);
    return [spec];
  });
}

function producer({ filter, passthrough = true, transform }: ProducerSpec): ProducerProcessor {
  return new ProducerProcessor({
    filter: (frame, direction) => matches(filter, frame, direction),
    passthrough,
    transform: transformOf(transform),
  });
}

function transformOf(spec: TransformSpec | undefined): FrameTransform {
  return spec === undefined ? sameFrame : (frame) => retag(frame, spec.prefix, spec.as);
}
