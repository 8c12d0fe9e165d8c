import { EventEmitter } from 'node:events';
import type { AgentJobContext, JobParticipant, JobRoom } from '../../src/livekit-agents/job-context.ts';

export const reasons = { clientInitiated: 1, duplicateIdentity: 2, participantRemoved: 4, roomDeleted: 5 };

/** How the teardown of a job goes; what `@livekit/agents` does at `ctx.shutdown()`. */
export type Teardown =
  /** The bot leaves, then the callbacks run; as 1.9 does it. */
  | 'orderly'
  /** The first callback that rejects lets the process exit; as 1.7 does it. */
  | 'until-first-rejection'
  /** The session's close rejected: the bot stays, and no callback ever runs; as 1.7 does it. */
  | 'broken-off';

/** A room as rtc-node has it, with people who come and go at once. */
export class FakeJobRoom extends EventEmitter implements JobRoom {
  name: string | undefined;
  localParticipant: { readonly sid: string } | undefined;
  readonly remoteParticipants: Map<string, JobParticipant> = new Map();

  connects(name: string): void {
    this.name = name;
    this.emit('connectionStateChanged', 1);
  }

  joins(identity: string, kind = 0): void {
    this.remoteParticipants.set(identity, { identity, info: { kind } });
    this.emit('participantConnected', { identity, info: { kind } });
  }

  leaves(identity: string): void {
    this.remoteParticipants.delete(identity);
    this.emit('participantDisconnected', { identity });
  }
}

/** The context of a job, with its teardown. */
export class FakeJob implements AgentJobContext {
  readonly info: AgentJobContext['info'];
  job: AgentJobContext['job'] = { room: { name: 'assigned', sid: '' } };
  readonly room: FakeJobRoom = new FakeJobRoom();
  readonly isFakeJob: boolean | undefined;
  teardown: Teardown = 'orderly';
  /** What happened, in order. */
  readonly steps: string[] = [];
  readonly #callbacks: (() => Promise<void>)[] = [];
  #ending: Promise<void> | undefined;

  constructor(info: AgentJobContext['info'], isFakeJob?: boolean) {
    this.info = info;
    this.isFakeJob = isFakeJob;
  }

  addShutdownCallback(callback: () => Promise<void>): void {
    this.#callbacks.push(callback);
  }

  shutdown(reason?: string): void {
    this.steps.push(`shutdown: ${reason}`);
    void this.ends();
  }

  /** The teardown; resolves when the process would exit. */
  ends(): Promise<void> {
    this.#ending ??= this.#tearDown();
    return this.#ending;
  }

  async #tearDown(): Promise<void> {
    await Promise.resolve();
    if (this.teardown === 'broken-off') return;
    this.steps.push('left');
    this.room.emit('disconnected', reasons.clientInitiated);
    this.steps.push('callbacks');
    const running = this.#callbacks.map((callback) => callback());
    if (this.teardown === 'orderly') await Promise.allSettled(running);
    else await Promise.all(running).catch(() => {});
    this.steps.push('exit');
  }
}

/** The process that a job runs in. */
export class FakeProcess extends EventEmitter {
  readonly exitCodes: number[] = [];

  exit(code: number): void {
    this.exitCodes.push(code);
  }
}
