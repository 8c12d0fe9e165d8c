/** What must hold in a random fault run, whatever broke. Pure: a history in, what is wrong with it out. */

import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import type { End } from './chaos-schedule.ts';

/** All times are milliseconds of one wall clock. */
export interface SessionHistory {
  readonly roomName: string;
  readonly sid: string;
  readonly startedAt: number;
  /** `no start`: it could not join, and ended by itself. */
  readonly end: End | 'no start';
  readonly endedAt: number;
  /** An armed guardian stood beside it when it ended. */
  readonly guarded: boolean;
  /** When its human was back in it, after the room had been deleted. */
  readonly rejoinedAt: number | undefined;
  readonly outcomes: readonly RoomDeletionOutcome[];
  /** `undefined`: its process did not end. */
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One list of all rooms, as LiveKit gave it. */
export interface Listing {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Sid by name. */
  readonly rooms: ReadonlyMap<string, string>;
}

export interface ChaosHistory {
  readonly sessions: readonly SessionHistory[];
  /** Rooms that are not ours, or whose bots live to the end: sid by name, and since when. */
  readonly bystanders: readonly { readonly name: string; readonly sid: string; readonly since: number }[];
  readonly disturbances: readonly (Span & { readonly what: string })[];
  readonly listings: readonly Listing[];
  /** LiveKit's own word that a room is over, by webhook. */
  readonly finished: readonly { readonly name: string; readonly sid: string; readonly at: number }[];
  /** Everything that bots and sweepers have printed. */
  readonly output: string;
}

export interface ChaosLimits {
  /** A room whose bot, or the guardian beside it, can act. */
  readonly fastMs: number;
  /** What is added for a bot that is stuck instead of dead. */
  readonly heartbeatMs: number;
  /** A room that only the sweeper, or a second look, can find. */
  readonly slowMs: number;
}

/** One line for each broken promise, with its number in the list of invariants. */
export function violations(history: ChaosHistory, limits: ChaosLimits, secrets: readonly string[]): string[] {
  return [
    ...history.sessions.flatMap((session) => outlived(session, history, limits)),
    ...history.sessions.flatMap((session) => killedAlive(session, history)),
    ...lostBystanders(history),
    ...history.sessions.flatMap(wrongOutcomes),
    ...history.sessions.flatMap(wrongExits),
    ...leaks(history.output, secrets),
  ];
}

/** From the end of its owner to the last list that still had the room. */
export function lastedMs({ roomName, endedAt }: SessionHistory, { listings }: ChaosHistory): number {
  const last = listings.findLast(({ rooms }) => rooms.has(roomName));
  return (last?.askedAt ?? endedAt) - endedAt;
}

/**
 * By when it must be gone; whatever is disturbed on the way begins its slow limit again. What happens to all sweepers
 * counts only where nobody else can do it, and what happens to one of them never.
 */
export function dueAt(
  { end, endedAt, guarded, rejoinedAt }: SessionHistory,
  { disturbances }: ChaosHistory,
  { fastMs, heartbeatMs, slowMs }: ChaosLimits,
): number {
  const acts = end === 'lost' || !guarded ? slowMs : fastMs;
  const first = endedAt + acts + (end === 'frozen' ? heartbeatMs : 0);
  const due = rejoinedAt === undefined ? first : Math.max(first, rejoinedAt + slowMs);
  const isSwept = end === 'lost' || !guarded || rejoinedAt !== undefined;
  return disturbances
    .filter(({ what }) => !what.startsWith('one sweeper') && (isSwept || !what.startsWith('sweepers')))
    .toSorted((one, other) => one.fromMs - other.fromMs)
    .reduce(
      (until, { fromMs, toMs }) =>
        fromMs < until && toMs > endedAt ? Math.max(until, toMs + slowMs) : until,
      due,
    );
}

function outlived(session: SessionHistory, history: ChaosHistory, limits: ChaosLimits): string[] {
  const { roomName, end, endedAt } = session;
  const due = dueAt(session, history, limits);
  const late = history.listings.find(({ askedAt, rooms }) => askedAt > due && rooms.has(roomName));
  if (late === undefined) return [];
  const [was, limit] = [late.askedAt - endedAt, due - endedAt].map(Math.round);
  return [`1 ${roomName} is still there ${was} ms after its bot's ${end}; the limit was ${limit} ms`];
}

function killedAlive(session: SessionHistory, { listings, finished }: ChaosHistory): string[] {
  const { roomName, sid, startedAt, endedAt } = session;
  const unlisted = listings.find(
    ({ askedAt, answeredAt, rooms }) =>
      askedAt > startedAt && answeredAt < endedAt && rooms.get(roomName) !== sid,
  );
  const over = finished.find((room) => room.sid === sid && room.at < endedAt);
  return [
    ...(unlisted ? [`2 ${roomName} is not listed although its bot lives`] : []),
    ...(over ? [`2 LiveKit says that ${roomName} is over although its bot lives`] : []),
  ];
}

function lostBystanders({ bystanders, listings, finished }: ChaosHistory): string[] {
  return bystanders.flatMap(({ name, sid, since }) => {
    const isGone =
      listings.some(({ askedAt, rooms }) => askedAt > since && rooms.get(name) !== sid) ||
      finished.some((room) => room.sid === sid);
    return isGone ? [`3 ${name}, of somebody else, was deleted`] : [];
  });
}

/** One from every bot that could still tell. */
function wrongOutcomes({ roomName, end, outcomes }: SessionHistory): string[] {
  const wasKilled = end === 'SIGKILL' || end === 'lost';
  const isRight = wasKilled ? outcomes.length <= 1 : outcomes.length === 1;
  return isRight ? [] : [`4 ${roomName} has ${outcomes.length} outcomes after ${end}`];
}

function wrongExits({ roomName, end, outcomes, exit }: SessionHistory): string[] {
  if (exit === undefined) return [`5 the bot of ${roomName} has not ended after ${end}`];
  const wasKilled = end === 'SIGKILL' || end === 'lost';
  const mayRemain = outcomes.some(({ status }) => status === 'handed-over' || status === 'failed');
  const expected = wasKilled ? 'SIGKILL' : mayRemain ? 3 : end === 'no start' ? 1 : 0;
  const actual = exit.signal ?? exit.code;
  const statuses = outcomes.map(({ status }) => status).join(', ');
  return actual === expected
    ? []
    : [`5 the bot of ${roomName} ended with ${actual} after ${end} (${statuses}), not with ${expected}`];
}

function leaks(output: string, secrets: readonly string[]): string[] {
  const found = secrets.filter((secret) => output.includes(secret)).map(() => '6 a secret was printed');
  return /eyJ[\w-]{10,}\.[\w-]{10,}/.test(output) ? [...found, '6 a token was printed'] : found;
}
