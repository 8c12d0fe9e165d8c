/** endframe/sweeper: deletes rooms without a living bot, from another process. */

export { InvalidOptionError, LiveKitRESTError } from './lib/errors.ts';
export { type Logger, silentLogger, stderrLogger } from './lib/logger.ts';
export { leaseAttribute, leaseBeatMs } from './rooms/lease.ts';
export { LiveKitRESTHelper, type LiveKitRESTHelperOptions } from './rooms/rest/livekit-rest-helper.ts';
export type { ListedParticipant, ListedRoom, RoomRest } from './rooms/rest/room-rest.ts';
export { generateRoomName, isGeneratedRoomName } from './rooms/room-name.ts';
export { BullMqEngine, type BullMqEngineOptions } from './sweeper/engine/bullmq-engine.ts';
export type { Orphan, ReapStatus, SweeperEngine, SweepWork } from './sweeper/engine/engine.ts';
export { InMemoryEngine, type InMemoryEngineOptions } from './sweeper/engine/in-memory-engine.ts';
export { type Observation, observe } from './sweeper/observation.ts';
export {
  type DeleteReason,
  decideOrphan,
  type KeepReason,
  type OrphanDecision,
  type OrphanPolicyOptions,
  type Ownership,
  type OwnershipRule,
  ownershipOf,
} from './sweeper/orphan-policy.ts';
export { Sweeper } from './sweeper/sweeper.ts';
export type { OrphanReport, SweeperEvents, SweepReport } from './sweeper/sweeper-events.ts';
export type { SweeperOptions, SweeperRest } from './sweeper/sweeper-options.ts';
export type { WebhookKeys } from './sweeper/webhook/webhook-handler.ts';
export { type WebhookHandlerOptions, webhookHandler } from './sweeper/webhook/webhook-handler.ts';
