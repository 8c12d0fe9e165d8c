/** endframe/livekit: rooms that are gone when their bot is. */

export { type DeletesRoomOnce, deleteRoomFinally } from './cleanup/delete-room-finally.ts';
export { deleteRoomOnEnd } from './cleanup/delete-room-on-end.ts';
export { RoomCleanupProcessor, type RoomCleanupProcessorOptions } from './cleanup/room-cleanup-processor.ts';
export {
  type AnyEndframeError,
  EndframeError,
  InvalidOptionError,
  LiveKitRESTError,
  type LiveKitRESTErrorKind,
} from './lib/errors.ts';
export { type Logger, silentLogger, stderrLogger } from './lib/logger.ts';
export {
  type CloseOnProcessExitOptions,
  closeOnProcessExit,
  type DeletesRoom,
  type ExitWatch,
} from './rooms/close-on-process-exit.ts';
export type { RoomDeletionOutcome } from './rooms/delete-room.ts';
export type { DeleteWhen, DeleteWhenContext, DeletionTrigger } from './rooms/delete-when.ts';
export { LiveKitRESTHelper, type LiveKitRESTHelperOptions } from './rooms/rest/livekit-rest-helper.ts';
export type { ListedParticipant, ListedRoom, RestCallOptions, RoomRest } from './rooms/rest/room-rest.ts';
export { RoomDeleter, type RoomDeleterEvents } from './rooms/room-deleter.ts';
export type { RoomDeleterOptions } from './rooms/room-deleter-options.ts';
export type { RoomIdentity } from './rooms/room-identity.ts';
export { generateRoomName, isGeneratedRoomName } from './rooms/room-name.ts';
export type { RoomReappearance } from './rooms/verify-room-gone.ts';
export type {
  LiveKitTransportOptions,
  RemoteDisconnectPolicy,
} from './transports/livekit/livekit-options.ts';
export { LiveKitTransport } from './transports/livekit/livekit-transport.ts';
export type {
  ConnectionQuality,
  EventListeners,
  LiveKitRoomEvent,
  LiveKitTransportEvents,
  ParticipantInfo,
  TrackKind,
} from './transports/livekit/room-events.ts';
export {
  type AgentTokenOptions,
  createAgentToken,
  createParticipantToken,
  type ParticipantTokenOptions,
} from './transports/livekit/tokens.ts';
export type { TrackSource, TransportParams } from './transports/transport-params.ts';
