/** One session of a random fault run: a bot with its guardian and a human, from their joining to the end of all. */

import { setTimeout as sleep } from 'node:timers/promises';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { type Caller, spawnCaller } from './caller.ts';
import type { SessionHistory } from './chaos-check.ts';
import type { PlannedSession } from './chaos-schedule.ts';
import type { ChaosSurroundings } from './chaos-surroundings.ts';
import { chaosPrefix } from './chaos-sweepers.ts';
import { DoomedBot } from './doomed-bot.ts';
import { now } from './talking-bot.ts';
import { joinToken } from './tokens.ts';

export const botLimits = { heartbeatMs: 4_000, deadlineMs: 3_000, leaseBeatMs: 1_000 };

/** What of it is history, and what else is to be looked through or put away. */
export interface LivedSession {
  readonly history: SessionHistory;
  readonly output: string;
  readonly guardianPids: readonly number[];
}

type Life = Pick<SessionHistory, 'sid' | 'startedAt' | 'end' | 'endedAt' | 'guarded'>;

const joinLimitMs = 60_000;
const shortFreezeMs = 800;
const exitLimitMs = 20_000;
const rejoinLimitMs = 10_000;
const longestMs = 60_000;

export async function liveSession(plan: PlannedSession, around: ChaosSurroundings): Promise<LivedSession> {
  await sleep(plan.startMs);
  const session = new Session(around, plan);
  try {
    return await session.live();
  } finally {
    await session.putAway();
  }
}

class Session {
  readonly #roomName = generateRoomName(chaosPrefix);
  readonly #around: ChaosSurroundings;
  readonly #plan: PlannedSession;
  readonly #bot: DoomedBot;
  readonly #guardianPids: number[] = [];
  #caller: Caller | undefined;
  #guarded = false;

  constructor(around: ChaosSurroundings, plan: PlannedSession) {
    const { server, botsWay } = around;
    const { heartbeatMs, deadlineMs, leaseBeatMs } = botLimits;
    this.#around = around;
    this.#plan = plan;
    this.#bot = new DoomedBot({
      server,
      url: server.url,
      apiUrl: botsWay.url,
      attemptTimeoutMs: 1_500,
      roomName: this.#roomName,
      guardianHeartbeatMs: heartbeatMs,
      deadlineMs,
      leaseBeatMs,
    });
  }

  async live(): Promise<LivedSession> {
    const roomName = this.#roomName;
    const life = (await this.#starts()) ? await this.#life() : this.#stillbirth();
    // a human who has not made it until now must not come in the dark
    if (!this.#caller?.events.some(({ event }) => event === 'joined')) await this.#caller?.stop();
    const [exit, rejoinedAt] = await Promise.all([this.#exit(), this.#rejoin()]);
    await this.#around.goneWithin(roomName, longestMs);
    const outcomes = this.#bot.events.flatMap((event) => (event.event === 'outcome' ? [event.outcome] : []));
    return {
      history: { roomName, ...life, rejoinedAt, outcomes, exit },
      output: this.#bot.output,
      guardianPids: this.#guardianPids,
    };
  }

  async #life(): Promise<Life> {
    const { end, livesMs } = this.#plan;
    const { sid } = await this.#around.roomNamed(this.#roomName);
    const startedAt = now();
    await Promise.all([sleep(livesMs), this.#suffer()]);
    const guarded = this.#guarded;
    const endedAt = now();
    this.#end();
    return { sid, startedAt, end, endedAt, guarded };
  }

  /** Of a bot that ended before it ran: it could not join, for whatever was broken just then. */
  #stillbirth(): Life {
    const endedAt = Number.isNaN(this.#bot.endedAt) ? now() : this.#bot.endedAt;
    return { sid: '', startedAt: endedAt, end: 'no start', endedAt, guarded: false };
  }

  async putAway(): Promise<void> {
    await Promise.all([this.#caller?.stop(), this.#bot[Symbol.asyncDispose]()]);
  }

  /** False when the bot ended instead, or does neither. The human comes when it can. */
  async #starts(): Promise<boolean> {
    const { server } = this.#around;
    const token = await joinToken(server, this.#roomName, 'human');
    this.#caller = spawnCaller({ url: server.url, token, rejoins: this.#plan.rejoins });
    const starts = this.#bot.waitFor('started', joinLimitMs).then(
      () => true,
      () => false,
    );
    if (!(await starts)) return false;
    await this.#arm();
    return true;
  }

  async #arm(): Promise<void> {
    this.#guardianPids.push(await this.#bot.guardianPid(joinLimitMs));
    this.#guarded = true;
  }

  async #suffer(): Promise<void> {
    const { suffers, suffersAfterMs } = this.#plan;
    await sleep(suffersAfterMs);
    if (suffers === 'a short freeze') {
      this.#bot.kill('SIGSTOP');
      await sleep(shortFreezeMs);
      this.#bot.kill('SIGCONT');
    } else if (suffers === 'the death of its guardian') {
      this.#guarded = false;
      kill(this.#guardianPids.at(-1));
      // it may die before it has another one
      void this.#arm().catch(() => {});
    }
  }

  #end(): void {
    const { end } = this.#plan;
    if (end === 'end') this.#bot.end();
    else if (end === 'cancel') this.#bot.cancel();
    else if (end === 'frozen') this.#bot.kill('SIGSTOP');
    else if (end === 'SIGTERM') this.#bot.kill('SIGTERM');
    else {
      if (end === 'lost') kill(this.#guardianPids.at(-1));
      this.#bot.kill('SIGKILL');
    }
  }

  /** A bot that is frozen thaws when its room is gone, and has to end by itself. */
  async #exit(): Promise<SessionHistory['exit']> {
    if (this.#plan.end === 'frozen' && Number.isNaN(this.#bot.endedAt)) {
      await this.#around.goneWithin(this.#roomName, longestMs);
      this.#bot.kill('SIGCONT');
    }
    return Promise.race([this.#bot.exited, sleep(exitLimitMs, undefined)]);
  }

  /** The human joins again once; then its process ends, and the room does not know for a while. */
  async #rejoin(): Promise<number | undefined> {
    const caller = this.#caller;
    if (caller === undefined || !this.#plan.rejoins) return undefined;
    await this.#around.goneWithin(this.#roomName, 1_000);
    for (const until = now() + rejoinLimitMs; now() < until; await sleep(20)) {
      const [, again] = caller.events.filter(({ event }) => event === 'joined');
      if (again === undefined) continue;
      await caller.stop();
      return again.at;
    }
    // whatever comes now must not come in the dark
    await caller.stop();
    return undefined;
  }
}

/** Process ids of guardians that may have ended. */
export function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // it has
  }
}
