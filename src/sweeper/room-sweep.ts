import { EndframeError } from '../errors.ts';
import { asRestError } from '../rooms/foreign-error.ts';
import { redact } from '../rooms/redact.ts';
import type { ListedRoom } from '../rooms/room-rest.ts';
import type { SafeEventEmitter } from '../safe-event-emitter.ts';
import { textOf } from '../text-of.ts';
import type {
  LookContext,
  LookResult,
  Orphan,
  ReapContext,
  ReapStatus,
  SweepPass,
  SweepWork,
} from './engine.ts';
import { lookAt } from './look.ts';
import { ownershipOf } from './ownership.ts';
import { type Reaping, reapRoom } from './reap.ts';
import { type OrphanReport, orphanReport, type SweepReport } from './sweep-report.ts';
import type { SweeperEvents } from './sweeper-events.ts';
import type { SweeperPlan } from './sweeper-options.ts';

/** What an engine is given to do, and the telling of it: to the log, as events, and summed up for each pass. */
export class RoomSweep implements SweepWork {
  readonly #plan: SweeperPlan;
  readonly #events: SafeEventEmitter<SweeperEvents>;
  readonly #onReport: (report: SweepReport) => void;
  readonly #undecided = new Set<string>();
  /** Decided in a dry run: they stay, and are found again and again. */
  readonly #doomed = new Set<string>();
  /** Since the newest list. */
  readonly #gone = new Set<string>();
  #unmarked: ReadonlySet<string> = new Set();
  #orphans: OrphanReport[] = [];
  #failedLooks = 0;
  /** The alarm of this pass was raised. */
  #isCapped = false;
  #owned = 0;

  constructor(
    plan: SweeperPlan,
    events: SafeEventEmitter<SweeperEvents>,
    onReport: (report: SweepReport) => void,
  ) {
    this.#plan = plan;
    this.#events = events;
    this.#onReport = onReport;
  }

  get pollMs(): number {
    return this.#plan.pollMs;
  }

  get longestSpacingMs(): number {
    return this.#plan.leaseTtlMs / 2;
  }

  get concurrency(): number {
    return this.#plan.concurrency;
  }

  deletionCap(owned: number): number {
    return Math.max(this.#plan.minDeletionCap, Math.floor(owned * this.#plan.maxDeletionShare));
  }

  async list(names: readonly string[] = []): Promise<readonly ListedRoom[]> {
    const all = await this.#plan.rest.listRooms(names).catch((error: unknown) => {
      throw asRestError(names.join(', '), error);
    });
    this.#plan.serverClock.saw(all);
    const ours = all.filter((room) => ownershipOf(room, this.#plan) === 'ours');
    if (names.length === 0) this.#noteAll(all, ours);
    return ours;
  }

  async look(room: ListedRoom, context: LookContext): Promise<LookResult> {
    // a look that hangs must not be mistaken for a room that is all right
    if (context.before === undefined && !this.#doomed.has(room.name)) this.#undecided.add(room.name);
    try {
      const finding = await lookAt(room, context, this.#plan);
      const reason = finding.decision?.reason;
      if (reason === undefined || reason === 'bot-alive') {
        this.#undecided.delete(room.name);
        this.#doomed.delete(room.name);
      } else if (!this.#doomed.has(room.name)) this.#undecided.add(room.name);
      return finding;
    } catch (error) {
      if (context.signal.aborted) throw error;
      this.#failedLooks += 1;
      this.#undecided.add(room.name);
      const fields = { roomName: room.name, error: asRestError(room.name, error) };
      this.#plan.logger.warn(fields, 'who is in the room could not be read; this time does not count');
      throw error;
    }
  }

  async reap(orphan: Orphan, context: ReapContext): Promise<ReapStatus> {
    this.#events.emit('orphanFound', orphan);
    const reaping = await reapRoom(orphan, context, this.#plan).catch(
      (error: unknown): Reaping => ({ status: 'failed', error: asRestError(orphan.room.name, error) }),
    );
    const report = orphanReport(orphan, reaping);
    this.#orphans.push(report);
    if (report.status === 'deleted' || report.status === 'already-gone') this.#gone.add(report.sid);
    if (report.status === 'would-delete') this.#doomed.add(report.roomName);
    if (report.status !== 'spared' && report.status !== 'capped') this.#undecided.delete(report.roomName);
    this.#tell(report);
    return report.status;
  }

  passed({ owned, looked, durationMs }: SweepPass): void {
    const left = Math.max(0, owned - this.#gone.size);
    const counts = { owned: left, undecided: this.#undecided.size, looked, failedLooks: this.#failedLooks };
    const report = { ...counts, durationMs, orphans: this.#orphans, unmarked: [...this.#unmarked] };
    this.#orphans = [];
    this.#failedLooks = 0;
    this.#isCapped = false;
    this.#onReport(Object.freeze(report));
  }

  failed(thrown: unknown): void {
    // not of LiveKit but of an engine: what else it carries, such as a command with a password, is not told
    const error = thrown instanceof EndframeError ? thrown : new Error(redact(textOf(thrown)));
    this.#plan.logger.error({ error }, 'the sweep was interrupted; this time does not count');
    this.#events.emit('sweepFailed', error);
  }

  #noteAll(all: readonly ListedRoom[], ours: readonly ListedRoom[]): void {
    const names = new Set(ours.map(({ name }) => name));
    this.#gone.clear();
    this.#owned = names.size;
    for (const name of this.#undecided) if (!names.has(name)) this.#undecided.delete(name);
    for (const name of this.#doomed) if (!names.has(name)) this.#doomed.delete(name);
    const unmarked = all.filter((room) => ownershipOf(room, this.#plan) === 'unmarked');
    for (const room of unmarked) {
      if (this.#unmarked.has(room.name)) continue;
      const fields = { roomName: room.name, metadataKey: this.#plan.metadataKey };
      this.#plan.logger.warn(fields, 'a room has our prefix and no marker; it is never deleted');
      this.#events.emit('unmarkedRoomFound', room);
    }
    this.#unmarked = new Set(unmarked.map(({ name }) => name));
  }

  #tell(report: OrphanReport): void {
    const { logger } = this.#plan;
    const { roomName, status } = report;
    switch (status) {
      case 'deleted':
      case 'already-gone':
        logger.info(report, 'a room without a living bot is gone');
        this.#events.emit('roomReaped', report);
        break;
      case 'spared':
        logger.info(report, 'a room was spared at the last look');
        this.#events.emit('roomSpared', report);
        break;
      case 'failed':
        logger.error(report, 'a room without a living bot could not be deleted and remains');
        this.#events.emit('roomReapFailed', report);
        break;
      case 'capped': {
        if (this.#isCapped) break;
        this.#isCapped = true;
        const alarm = { roomName, owned: this.#owned, cap: this.deletionCap(this.#owned) };
        logger.error(alarm, 'more orphans than one pass may delete: are these bots really dead?');
        this.#events.emit('deletionsCapped', alarm);
        break;
      }
      case 'would-delete':
        logger.info(report, 'a room without a living bot would be deleted');
    }
  }
}
