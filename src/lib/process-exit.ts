/** The only way to exit the process: it waits for all owners, so that none cuts off the work of another. */

import { constants } from 'node:os';

/** The signals by which a process is asked to go. */
export type ExitSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** What is to be done when the process is asked to go, or is about to. */
export interface ExitListener {
  /** The process has received a signal. */
  onSignal(signal: ExitSignal): void;
  /** An uncaught exception, or an unhandled rejection; only the first ten: reporting one may cause the next. */
  onUncaught(error: unknown): void;
  /** Nothing is left that could happen. */
  onBeforeExit(): void;
}

/** The signals that are handled. */
export const exitSignals: readonly ExitSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** How long a second signal waits for what is under way, in milliseconds. */
export const forcedExitMs = 500;

/** So many uncaught errors are reported. */
const maxUncaught = 10;

/** A shell's exit code for a process that a signal has ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** When a room may remain: it wins over 1, which wins over 0. */
const roomRemainsCode = 3;

/** Makes this the exit code of the process, unless one other than 0 is set already. */
export function reportRoomMayRemain(): void {
  if (Number(process.exitCode ?? 0) === 0) process.exitCode = roomRemainsCode;
}

/** The higher one of what is to be the exit code and what has been reported so. */
export function withReported(code: number): number {
  return process.exitCode === roomRemainsCode ? Math.max(code, roomRemainsCode) : code;
}

/** Holders of unfinished work; the process must not exit before it is done. */
const owners = new Set<object>();
let wanted = false;
let worstCode = 0;

function look(): void {
  // one more turn, so that promises of the last owner settle first
  if (wanted && owners.size === 0) setImmediate(exit);
}

function exit(): void {
  if (wanted && owners.size === 0)
    processExit.forceExit(worstCode > 0 ? withReported(worstCode) : (process.exitCode ?? 0));
}

/** The exit of this process, shared by all that have to finish something before it. */
export const processExit = {
  /** Whether the process exits as soon as there is no owner left. */
  get isRequested(): boolean {
    return wanted;
  },

  /** @returns Takes the listener away again. */
  listen(listener: ExitListener): () => void {
    const onSignal = (signal: ExitSignal): void => listener.onSignal(signal);
    let uncaught = 0;
    const onUncaught = (error: unknown): void => {
      uncaught += 1;
      if (uncaught <= maxUncaught) listener.onUncaught(error);
    };
    const onBeforeExit = (): void => listener.onBeforeExit();
    const set = (method: 'on' | 'off'): void => {
      // one more for each runner is no leak that Node should warn of; 0 is for no limit
      const limit = process.getMaxListeners();
      if (limit > 0) process.setMaxListeners(method === 'on' ? limit + 1 : Math.max(1, limit - 1));
      for (const signal of exitSignals) process[method](signal, onSignal);
      process[method]('uncaughtException', onUncaught);
      process[method]('unhandledRejection', onUncaught);
      process[method]('beforeExit', onBeforeExit);
    };
    set('on');
    return () => set('off');
  },

  /** The process waits for this one from now on. */
  acquire(owner: object): void {
    owners.add(owner);
  },

  /** It is done. */
  release(owner: object): void {
    owners.delete(owner);
    look();
  },

  /** Exits once no owner is left, with the highest code that was requested; with `process.exitCode` when all gave 0. */
  requestExit(code: number): void {
    wanted = true;
    worstCode = Math.max(worstCode, code);
    look();
  },

  /** Exits at once, without waiting for owners: at a time limit, or a repeated signal. */
  forceExit(code: number | string): void {
    owners.clear();
    wanted = false;
    worstCode = 0;
    process.exit(code);
  },
};
