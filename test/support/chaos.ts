/** A random fault run: real bots, humans, guardians and sweepers on a real LiveKit, and everything breaks. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChaosHistory,
  type ChaosLimits,
  dueAt,
  lastedMs,
  type SessionHistory,
  violations,
} from './chaos-check.ts';
import { planChaos, type Schedule } from './chaos-schedule.ts';
import { botLimits, kill, liveSession } from './chaos-session.ts';
import { ChaosSurroundings } from './chaos-surroundings.ts';
import { sweeperLimits } from './chaos-sweepers.ts';

/** A machine that does all this at once is late itself: this much, and more where a process has to wait. */
const usualSlackMs = 2_000;
const slackPerDelay = 3;
/** After the last room is gone: what would come back, comes back. */
const quietMs = 1_500;

/** @param delayMs How long this process had to wait for the processor, at worst. */
function limitsOn(delayMs: number, slackMs: number): ChaosLimits {
  const lateMs = slackMs + slackPerDelay * delayMs;
  return {
    fastMs: 1_000 + lateMs,
    heartbeatMs: botLimits.heartbeatMs,
    // a sweeper that could not look in time begins anew, once
    slowMs: 2 * sweeperLimits.leaseTtlMs + 2 * sweeperLimits.pollMs + lateMs,
  };
}

export interface ChaosResult {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly sessions: readonly {
    readonly end: SessionHistory['end'];
    readonly guarded: boolean;
    readonly rejoined: boolean;
    /** Something was disturbed between its end and the end of its room. */
    readonly disturbed: boolean;
    readonly lastedMs: number;
  }[];
  readonly disturbances: readonly string[];
  /** How busy the machine was: see `limitsOn`. */
  readonly delayMs: number;
}

/** The plan follows from the seed; what comes of it, from the machine as well. */
export async function runChaos(
  seed: number,
  lengthMs: number,
  { slackMs = usualSlackMs }: { slackMs?: number } = {},
): Promise<ChaosResult> {
  const around = await ChaosSurroundings.start();
  try {
    return await runIn(around, planChaos(seed, lengthMs), slackMs);
  } finally {
    await around[Symbol.asyncDispose]();
  }
}

async function runIn(around: ChaosSurroundings, plan: Schedule, slackMs: number): Promise<ChaosResult> {
  const delay = monitorEventLoopDelay();
  delay.enable();
  const disturbing = plan.disturbances.map(async (one) => {
    await sleep(one.atMs);
    await around.disturb(one);
  });
  const adding = plan.foreignRoomsMs.map(async (atMs) => {
    await sleep(atMs);
    await around.addForeignRoom();
  });
  const living = plan.sessions.map((session) => liveSession(session, around));
  const [lived] = await Promise.all([Promise.all(living), ...disturbing, ...adding]);
  await sleep(quietMs);
  await around.listOnceMore();
  for (const pid of lived.flatMap(({ guardianPids }) => guardianPids)) kill(pid);
  const { bystanders, disturbances, listings, finished } = around;
  const sessions = lived.map(({ history }) => history);
  const output = [around.sweeperOutput, ...lived.map((session) => session.output)].join('\n');
  const history: ChaosHistory = { sessions, bystanders, disturbances, listings, finished, output };
  const delayMs = delay.max / 1e6;
  delay.disable();
  const limits = limitsOn(delayMs, slackMs);
  return {
    seed: plan.seed,
    delayMs,
    broken: violations(history, limits, [around.server.apiSecret]),
    sessions: sessions.map((session) => ({
      end: session.end,
      guarded: session.guarded && session.end !== 'lost',
      rejoined: session.rejoinedAt !== undefined,
      disturbed: dueAt(session, history, limits) !== dueAt(session, { ...history, disturbances: [] }, limits),
      lastedMs: lastedMs(session, history),
    })),
    disturbances: disturbances.map(({ what }) => what),
  };
}
