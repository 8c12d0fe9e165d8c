/** endframe/sweeper: for rooms whose bot died, from another process. */

export { InvalidOptionError, LiveKitRESTError } from './errors.ts';
export { type Logger, silentLogger, stderrLogger } from './logger.ts';
export { generateRoomName, isGeneratedRoomName } from './rooms/generated-room-name.ts';
export { leaseAttribute, leaseBeatMs } from './rooms/lease.ts';
export { LiveKitRESTHelper, type LiveKitRESTHelperOptions } from './rooms/livekit-rest-helper.ts';
export type { ListedParticipant, ListedRoom, RoomRest } from './rooms/room-rest.ts';
export { BullMqEngine, type BullMqEngineOptions } from './sweeper/bullmq-engine.ts';
export type {
  LookContext,
  LookResult,
  Orphan,
  ReapContext,
  ReapStatus,
  SweeperEngine,
  SweepPass,
  SweepWork,
} from './sweeper/engine.ts';
export { InMemoryEngine, type InMemoryEngineOptions } from './sweeper/in-memory-engine.ts';
export { type Look, type Observation, type ObservationOptions, observe } from './sweeper/observation.ts';
export {
  type DeleteReason,
  decideOrphan,
  type KeepReason,
  type OrphanDecision,
  type OrphanPolicyOptions,
} from './sweeper/orphan-policy.ts';
export { type Ownership, type OwnershipRule, ownershipOf } from './sweeper/ownership.ts';
export { ServerClock } from './sweeper/server-clock.ts';
export type { OrphanReport, SweepReport } from './sweeper/sweep-report.ts';
export { Sweeper } from './sweeper/sweeper.ts';
export type { SweeperEvents } from './sweeper/sweeper-events.ts';
export type { SweeperOptions, SweeperRest } from './sweeper/sweeper-options.ts';
export { type WebhookHandlerOptions, webhookHandler } from './sweeper/webhook-handler.ts';
export type { WebhookKeys } from './sweeper/webhook-signature.ts';
