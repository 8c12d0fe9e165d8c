/** The notation of `traces/README.md` as types. */

import type { FrameDirection } from '../../src/frames/frame.ts';

/** A frame to make: its class and its own fields. */
export interface FrameSpec {
  readonly frame: string;
  readonly uninterruptible?: boolean;
  readonly metadata?: Record<string, unknown>;
  readonly transportDestination?: string;
  readonly processor?: string;
  readonly [field: string]: unknown;
}

/** `count` frames with the texts `prefix` + 0, 1, 2, … */
export interface SeriesSpec {
  readonly series: string;
  readonly prefix: string;
  readonly count: number;
}

export type FramesSpec = FrameSpec | SeriesSpec | readonly (FrameSpec | SeriesSpec)[];

/** Which frames: a class with its subclasses, one with certain fields, or any of several. */
export type Matcher =
  | string
  | { readonly frame: string; readonly direction?: FrameDirection; readonly [field: string]: unknown }
  | readonly Matcher[];

/** A frame as it was, or should have been, recorded. */
export interface FrameRecord {
  readonly frame: string;
  readonly direction?: FrameDirection;
  readonly broadcast?: true;
  readonly errorContains?: string;
  readonly [field: string]: unknown;
}

export interface TransformSpec {
  readonly as?: string;
  readonly prefix?: string;
}

interface Named {
  readonly name?: string;
}

export interface IdentitySpec extends Named {
  readonly type: 'identity';
}
export interface DelaySpec extends Named {
  readonly type: 'delay';
  readonly frames: Matcher;
  readonly ms: number;
}
export interface SwallowSpec extends Named {
  readonly type: 'swallow';
  readonly frames: Matcher;
}
export interface HangSpec extends Named {
  readonly type: 'hang';
  readonly frames: Matcher;
}
export interface ThrowSpec extends Named {
  readonly type: 'throw';
  readonly frames: Matcher;
  readonly message: string;
  readonly when?: 'after';
}
export interface TagSpec extends Named {
  readonly type: 'tag';
  readonly frames: Matcher;
  readonly prefix: string;
}
export interface EmitSpec extends Named {
  readonly type: 'emit';
  readonly on: Matcher;
  readonly emit: FramesSpec;
  readonly direction?: FrameDirection | 'both';
  readonly when?: 'before' | 'after' | 'instead';
  readonly afterMs?: number;
  readonly limit?: number;
}
export interface InterruptSpec extends Named {
  readonly type: 'interrupt';
  readonly on: Matcher;
  readonly delayMs?: number;
}
export interface HoldSpec extends Named {
  readonly type: 'hold';
  readonly frames: Matcher;
  readonly releaseOn: Matcher;
}
export interface PauseSpec extends Named {
  readonly type: 'pause';
  readonly pauseOn: Matcher;
  readonly resumeOn: Matcher;
}
export interface ProbeSpec extends Named {
  readonly type: 'probe';
  readonly id: string;
  readonly only?: Matcher;
  readonly countCleanups?: boolean;
}
export interface PipelineSpec {
  readonly type: 'pipeline';
  readonly processors: readonly ProcessorSpec[];
}
export interface ParallelSpec {
  readonly type: 'parallel';
  readonly branches: readonly (readonly ProcessorSpec[])[];
}
export interface FrameFilterSpec {
  readonly type: 'frameFilter';
  readonly frames: readonly string[];
}
export interface FunctionFilterSpec {
  readonly type: 'functionFilter';
  readonly allow: Matcher;
  readonly direction?: FrameDirection | 'both';
  readonly filterSystemFrames?: boolean;
}
export interface GatedAggregatorSpec {
  readonly type: 'gatedAggregator';
  readonly open: Matcher;
  readonly close: Matcher;
  readonly startOpen: boolean;
  readonly direction?: FrameDirection;
}
export interface ProducerSpec {
  readonly type: 'producer';
  readonly id: string;
  readonly filter: Matcher;
  readonly passthrough?: boolean;
  readonly transform?: TransformSpec;
}
export interface ConsumerSpec {
  readonly type: 'consumer';
  readonly producer: string;
  readonly direction?: FrameDirection;
  readonly transform?: TransformSpec;
}

export type ProcessorSpec =
  | IdentitySpec
  | DelaySpec
  | SwallowSpec
  | HangSpec
  | ThrowSpec
  | TagSpec
  | EmitSpec
  | InterruptSpec
  | HoldSpec
  | PauseSpec
  | ProbeSpec
  | PipelineSpec
  | ParallelSpec
  | FrameFilterSpec
  | FunctionFilterSpec
  | GatedAggregatorSpec
  | ProducerSpec
  | ConsumerSpec;

export type Step =
  | { readonly queue: FramesSpec; readonly direction?: FrameDirection }
  | { readonly sleep: number }
  | { readonly cancel: string | null }
  | { readonly stopWhenDone: true }
  | { readonly waitFinished: true };

export type RecordedSpec = FrameRecord | SeriesSpec;

export interface ProbeExpectation {
  readonly saw?: readonly RecordedSpec[];
  readonly cleanups?: number;
}

/** Section 7: the trace is the same. */
export interface ConformanceExpectation {
  readonly downstream: readonly RecordedSpec[];
  readonly upstream: readonly RecordedSpec[];
  readonly probes?: Readonly<Record<string, ProbeExpectation>>;
  readonly finished: string | null;
  readonly reason: string | null;
  readonly errorCount: number;
  readonly withinMs?: number;
}

/** Section 8: what must hold where Pipecat is wrong. */
export interface ImprovementExpectation {
  readonly settlesWithinMs: number;
  readonly finishedAnyOf: readonly (string | null)[];
  readonly reason?: string | null;
  readonly delivered?: readonly RecordedSpec[];
  readonly deliveredUpstream?: readonly RecordedSpec[];
  readonly once?: readonly string[];
  readonly never?: Matcher;
  readonly errorsAtLeast?: number;
}

interface ScenarioBase {
  readonly name: string;
  readonly about?: string;
  readonly immediate?: boolean;
  readonly limits?: { readonly startMs?: number; readonly cancelMs?: number; readonly stallMs?: number };
  readonly processors: readonly ProcessorSpec[];
  readonly beforeRun?: readonly Step[];
  readonly steps?: readonly Step[];
}

export interface ConformanceScenario extends ScenarioBase {
  readonly kind?: undefined;
  readonly compare?: 'ordered' | 'lanes';
  readonly expect: ConformanceExpectation;
}

export interface ImprovementScenario extends ScenarioBase {
  readonly kind: 'improve';
  readonly expect: ImprovementExpectation;
}

export type Scenario = ConformanceScenario | ImprovementScenario;
