/** endframe: frames, processors, pipelines, and what runs them. Types of options are those of the constructors. */

// Frames: base classes

export { ControlFrame, DataFrame, Frame, type FrameDirection, isFrame, SystemFrame } from './frames/frame.ts';
export { ofFrame } from './frames/of-frame.ts';

// Frames: start, end, pause, errors, metrics

export { ErrorFrame } from './frames/error-frame.ts';
export {
  CancelFrame,
  CancelTaskFrame,
  EndFrame,
  EndTaskFrame,
  isTerminalFrame,
  StartFrame,
  StopFrame,
  StopTaskFrame,
} from './frames/lifecycle.ts';
export { MetricsFrame } from './frames/metrics.ts';
export {
  FrameProcessorPauseFrame,
  FrameProcessorPauseUrgentFrame,
  FrameProcessorResumeFrame,
  FrameProcessorResumeUrgentFrame,
} from './frames/pause.ts';
export { HeartbeatFrame, PipelineFlushFrame } from './frames/probes.ts';

// Frames: audio, speaking, interruption

export {
  InputAudioRawFrame,
  InputTransportStartAudioStreamingFrame,
  OutputAudioRawFrame,
  TTSAudioRawFrame,
  UserAudioRawFrame,
} from './frames/audio.ts';
export { InterruptionFrame, InterruptionTaskFrame } from './frames/interruption.ts';
export { MixerControlFrame, MixerEnableFrame, MixerUpdateSettingsFrame } from './frames/mixer.ts';
export {
  BotSpeakingFrame,
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  STTMuteFrame,
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from './frames/speaking.ts';

// Frames: text, language model, tools, speech

export {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from './frames/function-calls.ts';
export {
  LLMContextFrame,
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
  LLMMessagesAppendFrame,
  LLMMessagesUpdateFrame,
  LLMRunFrame,
  LLMTextFrame,
} from './frames/llm.ts';
export { TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame, TTSTextFrame } from './frames/speaking.ts';
export {
  InputTextRawFrame,
  InterimTranscriptionFrame,
  TextFrame,
  TranscriptionFrame,
} from './frames/text.ts';

// Frames: images, keys, messages, participants

export { InputDTMFFrame, OutputDTMFFrame, OutputDTMFUrgentFrame } from './frames/dtmf.ts';
export {
  InputImageRawFrame,
  OutputImageRawFrame,
  SpriteFrame,
  UserImageRawFrame,
  UserImageRequestFrame,
} from './frames/images.ts';
export {
  InputTransportMessageFrame,
  OutputTransportMessageFrame,
  OutputTransportMessageUrgentFrame,
} from './frames/messages.ts';
export {
  BotConnectedFrame,
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from './frames/participants.ts';

// Processors

export { ConsumerProcessor } from './processors/consumer-processor.ts';
export { DTMFAggregator } from './processors/dtmf-aggregator.ts';
export { EndWhenAlone } from './processors/end-when-alone.ts';
export { FrameFilter } from './processors/frame-filter.ts';
export { FrameLogger } from './processors/frame-logger.ts';
export {
  FrameProcessor,
  type FrameProcessorOptions,
} from './processors/frame-processor.ts';
export type { FrameProcessorSetup, PipelineResult } from './processors/frame-processor-setup.ts';
export { FunctionFilter } from './processors/function-filter.ts';
export { GatedAggregator } from './processors/gated-aggregator.ts';
export { IdentityFilter } from './processors/identity-filter.ts';
export { IdleFrameProcessor } from './processors/idle-frame-processor.ts';
export { operatorProcessor } from './processors/operator-processor.ts';
export { ProducerProcessor } from './processors/producer-processor.ts';
export { SentenceAggregator } from './processors/sentence-aggregator.ts';

// Pipelines

export { ParallelPipeline } from './pipeline/parallel-pipeline.ts';
export { Pipeline } from './pipeline/pipeline.ts';
export { PipelineRunner } from './pipeline/pipeline-runner.ts';
export { PipelineTask } from './pipeline/pipeline-task.ts';
export type { PipelineTaskOptions } from './pipeline/pipeline-task-options.ts';

// Observers

export { LogObserver } from './observers/log-observer.ts';
export type { Observer } from './observers/observer.ts';
export { StartupTimingObserver } from './observers/startup-timing-observer.ts';
export { TurnTrackingObserver } from './observers/turn-tracking-observer.ts';
export { UserBotLatencyObserver } from './observers/user-bot-latency-observer.ts';

// Transports

export type { AudioMixer } from './transports/audio-mixer.ts';
export { BaseInputTransport } from './transports/base-input.ts';
export { BaseOutputTransport } from './transports/base-output.ts';
export { BaseTransport } from './transports/base-transport.ts';
export type { TransportParams } from './transports/transport-params.ts';

// Voice activity detection

export { sileroVADAnalyzer } from './vad/silero-vad-analyzer.ts';
export type { VADAnalyzer } from './vad/vad-analyzer.ts';
export { EnergyVADAnalyzer } from './vad/vad-analyzer.ts';
export { VADProcessor } from './vad/vad-processor.ts';

// Errors and logs

export {
  type AnyEndframeError,
  EndframeError,
  InvalidOptionError,
  LiveKitRESTError,
  MissingDependencyError,
  PipelineError,
} from './lib/errors.ts';
export { type Logger, silentLogger, stderrLogger } from './lib/logger.ts';
