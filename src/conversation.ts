/** `endframe/conversation`: context, turns, tools and services, for whole voice agents. */

export type {
  AssistantTurnMessage,
  LLMAssistantAggregator,
  LLMAssistantAggregatorEvents,
  LLMAssistantAggregatorOptions,
} from './conversation/llm-assistant-aggregator.ts';
// context
export { LLMContext, type LLMContextOptions } from './conversation/llm-context.ts';
export {
  LLMContextAggregatorPair,
  type LLMContextAggregatorPairOptions,
} from './conversation/llm-context-aggregator-pair.ts';
export type {
  EmptyTurnOptions,
  LLMUserAggregator,
  LLMUserAggregatorEvents,
  LLMUserAggregatorOptions,
  UserTurnMessage,
} from './conversation/llm-user-aggregator.ts';
// services
export { type LLMPart, LLMService, type LLMServiceOptions } from './conversation/services/llm-service.ts';
export {
  SegmentedSTTService,
  type SegmentedSTTServiceOptions,
} from './conversation/services/segmented-stt-service.ts';
export type { SpokenWord, TTSPart } from './conversation/services/sentence-synthesis.ts';
export { categoryOf, ServiceTimeoutError } from './conversation/services/service-call.ts';
export { STTService, type STTServiceOptions, type Voice } from './conversation/services/stt-service.ts';
export { TTSService, type TTSServiceOptions } from './conversation/services/tts-service.ts';
export type { STTPart } from './conversation/services/voice-stream.ts';
export {
  CANCELLED,
  COMPLETED,
  EMPTY_TURN,
  FUNCTION_FAILED,
  RUNNING,
  UNKNOWN_FUNCTION,
} from './conversation/tool-messages.ts';
// tools
export {
  EndCall,
  endCall,
  type StandardSchema,
  type StandardSchemaResult,
  type Tool,
  type ToolCallOptions,
  type ToolDefinition,
  type ToolInput,
  type ToolResponseOptions,
  type Tools,
  tool,
} from './conversation/tools.ts';
export { SmartTurnAnalyzer } from './conversation/turns/smart-turn-analyzer.ts';
export type { TurnAnalyzer, TurnVerdict } from './conversation/turns/turn-analyzer.ts';
export { TurnAnalyzerUserTurnStopStrategy } from './conversation/turns/turn-analyzer-user-turn-stop-strategy.ts';
export {
  ExternalUserTurnStartStrategy,
  MinWordsUserTurnStartStrategy,
  TranscriptionUserTurnStartStrategy,
  VADUserTurnStartStrategy,
} from './conversation/turns/user-turn-start-strategies.ts';
export {
  ExternalUserTurnStopStrategy,
  SpeechTimeoutUserTurnStopStrategy,
} from './conversation/turns/user-turn-stop-strategies.ts';
export {
  deferred,
  UserTurnStartStrategy,
  UserTurnStopStrategy,
} from './conversation/turns/user-turn-strategy.ts';
export {
  AlwaysUserMuteStrategy,
  FirstSpeechUserMuteStrategy,
  FunctionCallUserMuteStrategy,
  MuteUntilFirstBotCompleteUserMuteStrategy,
  type UserMuteStrategy,
} from './conversation/user-mute-strategies.ts';
// frames
export {
  LLMAssistantPushAggregationFrame,
  LLMConfigureOutputFrame,
  type LLMContentPart,
  LLMContextAssistantTurnFrame,
  LLMContextUserTurnFrame,
  type LLMMessage,
  LLMMessagesTransformFrame,
  LLMSetToolChoiceFrame,
  LLMSetToolsFrame,
  LLMThoughtEndFrame,
  LLMThoughtStartFrame,
  LLMThoughtTextFrame,
  type LLMToolCall,
  type LLMToolChoice,
} from './frames/llm.ts';
export {
  LLMUpdateSettingsFrame,
  STTMetadataFrame,
  STTUpdateSettingsFrame,
  TTSUpdateSettingsFrame,
} from './frames/services.ts';
export {
  AggregatedTextFrame,
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  UserIdleTimeoutUpdateFrame,
  UserMuteStartedFrame,
  UserMuteStoppedFrame,
} from './frames/speaking.ts';
// turns
export type { VoiceActivityOptions } from './vad/voice-activity.ts';
