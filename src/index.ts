/** endframe: frames, processors, pipelines, and what runs them. */

export {
  type AnyEndframeError,
  EndframeError,
  InvalidOptionError,
  LiveKitRESTError,
  MissingDependencyError,
  PipelineError,
} from './errors.ts';
export * from './frames/audio.ts';
export * from './frames/dtmf.ts';
export * from './frames/error-frame.ts';
export * from './frames/flush.ts';
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
export * from './frames/heartbeat.ts';
export * from './frames/images.ts';
export * from './frames/interruption.ts';
export * from './frames/lifecycle.ts';
export * from './frames/llm.ts';
export * from './frames/messages.ts';
export * from './frames/metrics.ts';
export * from './frames/of-frame.ts';
export * from './frames/participants.ts';
export * from './frames/pause.ts';
export * from './frames/text.ts';
export { type Logger, silentLogger, stderrLogger } from './logger.ts';
export type { HeartbeatOptions } from './pipeline/heartbeat.ts';
export * from './pipeline/observer.ts';
export { ParallelPipeline } from './pipeline/parallel-pipeline.ts';
export { Pipeline } from './pipeline/pipeline.ts';
export { PipelineRunner, type PipelineRunnerOptions } from './pipeline/pipeline-runner.ts';
export {
  PipelineTask,
  type PipelineTaskEvents,
  type PipelineTaskLimits,
  type PipelineTaskOptions,
} from './pipeline/pipeline-task.ts';
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
