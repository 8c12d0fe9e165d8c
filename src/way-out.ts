/** The one way out of this process: who exits first would cut off what others still have to do. */

/** Those who have something to finish before the process may go. */
const owners = new Set<object>();
let wanted = false;
let worstCode = 0;

function look(): void {
  // one more turn, so that whoever waits for the last owner is told
  if (wanted && owners.size === 0) setImmediate(exit);
}

function exit(): void {
  if (wanted && owners.size === 0) wayOut.exitNow(worstCode > 0 ? worstCode : (process.exitCode ?? 0));
}

export const wayOut = {
  /** Whether the process is to go as soon as nobody has anything left to do. */
  get isWanted(): boolean {
    return wanted;
  },

  /** The process waits for this one from now on. */
  enter(owner: object): void {
    owners.add(owner);
  },

  /** It is done. */
  leave(owner: object): void {
    owners.delete(owner);
    look();
  },

  /** Exits once no owner is left, with the highest code that anybody gave; with `process.exitCode` when all gave 0. */
  exitWhenAlone(code: number): void {
    wanted = true;
    worstCode = Math.max(worstCode, code);
    look();
  },

  /** Whatever others still have to do: the time is up, or somebody insists. */
  exitNow(code: number | string): void {
    owners.clear();
    wanted = false;
    worstCode = 0;
    process.exit(code);
  },
};
