/** endframe/livekit-agents: rooms of LiveKit Agents jobs that are gone when the job is. */

export { InvalidOptionError, LiveKitRESTError } from './lib/errors.ts';
export type { AttachedRoomCleanup, AttachRoomCleanupOptions } from './livekit-agents/attach-room-cleanup.ts';
export { attachRoomCleanup } from './livekit-agents/attach-room-cleanup.ts';
export type {
  AgentJobContext,
  AgentSessionEvents,
  JobParticipant,
  JobRoom,
  SessionCloseEvent,
} from './livekit-agents/job-context.ts';
