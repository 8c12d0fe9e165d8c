/** endframe: frames, processors, pipelines, and what runs them. */

export { LinearResampler, type StreamResampler } from './audio/resampler.ts';
export * from './frames/audio.ts';
export * from './frames/dtmf.ts';
export * from './frames/error-frame.ts';
export {
  ControlFrame,
  DataFrame,
  Frame,
  type FrameDirection,
  type FrameKind,
  isFrame,
  SystemFrame,
} from './frames/frame.ts';
export * from './frames/function-calls.ts';
export * from './frames/images.ts';
export * from './frames/interruption.ts';
export * from './frames/lifecycle.ts';
export * from './frames/llm.ts';
export * from './frames/messages.ts';
export * from './frames/metrics.ts';
export * from './frames/mixer.ts';
export { type FrameClass, isOneOf, ofFrame } from './frames/of-frame.ts';
export * from './frames/participants.ts';
export * from './frames/pause.ts';
export * from './frames/probes.ts';
export * from './frames/speaking.ts';
export * from './frames/text.ts';
export * from './frames/tts.ts';
export {
  type AnyEndframeError,
  EndframeError,
  InvalidOptionError,
  LiveKitRESTError,
  MissingDependencyError,
  PipelineError,
} from './lib/errors.ts';
export { type Logger, silentLogger, stderrLogger } from './lib/logger.ts';
export { chronologicalEvents, type LatencyBreakdown } from './observers/latency-breakdown.ts';
export { LogObserver, type LogObserverOptions } from './observers/log-observer.ts';
export * from './observers/observer.ts';
export {
  type ProcessorStartupTiming,
  StartupTimingObserver,
  type StartupTimingObserverEvents,
  type StartupTimingObserverOptions,
  type StartupTimingReport,
  type TransportTimingReport,
} from './observers/startup-timing-observer.ts';
export {
  type EndedTurn,
  TurnTrackingObserver,
  type TurnTrackingObserverEvents,
  type TurnTrackingObserverOptions,
} from './observers/turn-tracking-observer.ts';
export {
  UserBotLatencyObserver,
  type UserBotLatencyObserverEvents,
} from './observers/user-bot-latency-observer.ts';
export type { HeartbeatOptions } from './pipeline/heartbeat.ts';
export { ParallelPipeline } from './pipeline/parallel-pipeline.ts';
export { Pipeline } from './pipeline/pipeline.ts';
export { PipelineRunner, type PipelineRunnerOptions } from './pipeline/pipeline-runner.ts';
export { PipelineTask } from './pipeline/pipeline-task.ts';
export type {
  PipelineTaskEvents,
  PipelineTaskLimits,
  PipelineTaskOptions,
} from './pipeline/pipeline-task-options.ts';
export { ConsumerProcessor, type ConsumerProcessorOptions } from './processors/consumer-processor.ts';
export { DTMFAggregator, type DTMFAggregatorOptions } from './processors/dtmf-aggregator.ts';
export { EndWhenAlone, type EndWhenAloneOptions } from './processors/end-when-alone.ts';
export { FrameFilter } from './processors/frame-filter.ts';
export { FrameLogger, type FrameLoggerOptions } from './processors/frame-logger.ts';
export {
  FrameProcessor,
  type FrameProcessorEvents,
  type FrameProcessorOptions,
  type PauseUntilOptions,
  type PushErrorOptions,
} from './processors/frame-processor.ts';
export type {
  ExitHook,
  ExitHookOptions,
  ExitReport,
  FrameProcessorSetup,
  LifecycleEvent,
  PipelineResult,
} from './processors/frame-processor-setup.ts';
export {
  type FramePredicate,
  FunctionFilter,
  type FunctionFilterOptions,
} from './processors/function-filter.ts';
export {
  GatedAggregator,
  type GatedAggregatorOptions,
  type GatePredicate,
} from './processors/gated-aggregator.ts';
export { IdentityFilter } from './processors/identity-filter.ts';
export { IdleFrameProcessor, type IdleFrameProcessorOptions } from './processors/idle-frame-processor.ts';
export { operatorProcessor } from './processors/operator-processor.ts';
export {
  type FrameTransform,
  ProducerProcessor,
  type ProducerProcessorOptions,
} from './processors/producer-processor.ts';
export { SentenceAggregator, type SentenceAggregatorOptions } from './processors/sentence-aggregator.ts';
export type { AudioMixer, AudioMixers } from './transports/audio-mixer.ts';
export { BaseInputTransport } from './transports/base-input.ts';
export { BaseOutputTransport, type OutputMessage } from './transports/base-output.ts';
export { BaseTransport } from './transports/base-transport.ts';
export type { TrackSource, TransportParams } from './transports/transport-params.ts';
export { EnergyVADAnalyzer, type EnergyVADAnalyzerOptions } from './vad/energy-vad-analyzer.ts';
export { sileroVADAnalyzer } from './vad/silero-vad-analyzer.ts';
export type { VADParams } from './vad/speech-detector.ts';
export type { CreateVADAnalyzer, VADAnalyzer } from './vad/vad-analyzer.ts';
export { VADProcessor, type VADProcessorOptions } from './vad/vad-processor.ts';
