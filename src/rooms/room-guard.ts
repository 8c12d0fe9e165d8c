import { type GuardianHold, type GuardianNews, guardian } from './guardian.ts';
import type { GuardedRoom } from './guardian-messages.ts';
import { credentialsOf } from './livekit-rest-helper.ts';
import { mayGetBetter } from './retry-policy.ts';
import type { DeleterPlan } from './room-deleter-options.ts';
import type { RoomDeletionOutcome } from './room-deletion.ts';
import { type RoomReappearance, verifyDeletion } from './verify-deletion.ts';
import { waitIdly } from './wait-idly.ts';

/** What the guardian did before it was asked, or because it was. */
export type SettledNews = Extract<GuardianNews, { type: 'settled' }>;

/** What is known of the room, and of the bot in it; becomes more while the bot is there. */
export type KnownRoom = Pick<DeleterPlan, 'room' | 'ownIdentity' | 'ownSid'>;

export interface RoomGuardEvents {
  readonly onReappeared: (reappearance: RoomReappearance) => void;
  /** The guardian went first. */
  readonly onSettled: (news: SettledNews) => void;
}

/** What makes sure of a room around its deletion: the guardian before it, and the looks after it. */
export class RoomGuard {
  readonly #plan: DeleterPlan;
  readonly #events: RoomGuardEvents;
  /** Until the outcome. */
  #hold: GuardianHold | undefined;
  /** Whether this process's silence counts, or only its end. */
  #beats = false;
  /** It is armed, or cannot be, or the outcome is there already. */
  #decided = false;

  constructor(plan: DeleterPlan, events: RoomGuardEvents) {
    this.#plan = plan;
    this.#events = events;
  }

  /** Whether a guardian would go on where this process stops. */
  get armed(): boolean {
    return this.#hold?.armed ?? false;
  }

  /**
   * Has the guardian watch the room, if one is wanted and can know what it needs; once.
   *
   * @param byDefault Whether one is wanted where the options do not say.
   * @param beats Whether it is time to count a silent event loop as stuck.
   */
  arm(known: KnownRoom, byDefault: boolean, beats: boolean): void {
    const { guardian: wanted = byDefault, rest, logger, roomName } = this.#plan;
    if (beats && !this.#beats) {
      this.#beats = true;
      this.update(known);
    }
    if (!wanted || this.#decided) return;
    this.#decided = true;
    const guarded = this.#guarded(known);
    if (guarded !== undefined) {
      this.#hold = guardian.watch(guarded, { logger, onNews: (news) => this.#hear(news) });
    } else if (this.#plan.guardian && credentialsOf(rest) === undefined) {
      logger.warn({ roomName }, 'no guardian: it needs a LiveKitRESTHelper as rest');
    }
  }

  /** Tells the guardian what has become known of the room. */
  update(known: KnownRoom): void {
    const guarded = this.#guarded(known);
    if (guarded !== undefined) this.#hold?.update(guarded);
  }

  /** There is nothing to look after, now and later. */
  forget(): void {
    this.#decided = true;
    this.#hold?.forget();
    this.#hold = undefined;
  }

  /** What follows an outcome, with what was known of the room. */
  settle({ status, error }: RoomDeletionOutcome, { room }: KnownRoom): void {
    const hold = this.#hold;
    this.#decided = true;
    this.#hold = undefined;
    if (status === 'deleted' || status === 'already-gone') this.#look(room, hold);
    else if (status === 'handed-over' || (error && mayGetBetter(error))) hold?.takeOver();
    else hold?.forget();
  }

  #look(room: KnownRoom['room'], hold: GuardianHold | undefined): void {
    if (hold?.isComing) {
      hold.look();
      return;
    }
    hold?.forget();
    const { verify, rest, roomName, scheduler, logger } = this.#plan;
    if (!verify) return;
    void verifyDeletion({
      rest,
      roomName,
      room,
      wait: (ms) => waitIdly(ms, scheduler),
      signal: new AbortController().signal,
      onReappeared: this.#events.onReappeared,
      onAnother: () => logger.info({ roomName }, 'there is another room of this name; it is left alone'),
    });
  }

  #guarded({ room, ownIdentity, ownSid }: KnownRoom): GuardedRoom | undefined {
    const { roomName, rest, deleteWhen, verify, guardianHeartbeatMs } = this.#plan;
    const credentials = credentialsOf(rest);
    if (credentials === undefined || deleteWhen === 'never') return undefined;
    const policy = typeof deleteWhen === 'function' ? 'always' : deleteWhen;
    const heartbeatMs = this.#beats ? guardianHeartbeatMs : null;
    const own = { ownIdentity, ownSid };
    return { roomName, room, credentials, deleteWhen: policy, ...own, verify, heartbeatMs };
  }

  #hear(news: GuardianNews): void {
    if (news.type === 'reappeared') this.#events.onReappeared(news.reappearance);
    else this.#events.onSettled(news);
  }
}
