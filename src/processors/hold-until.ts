/** A hold that is lifted once. */
export interface Hold {
  lift(): void;
}

/**
 * Holds something until `ready` settles, or its time is up.
 *
 * @param onLate Called when the time was up; the hold is lifted all the same.
 * @param onLift Called once, when the hold is over for whatever reason.
 */
export function holdUntil(
  ready: Promise<unknown>,
  timeoutMs: number,
  onLate: () => void,
  onLift: () => void,
): Hold {
  let held = true;
  const hold: Hold = {
    lift: () => {
      if (!held) return;
      held = false;
      clearTimeout(timer);
      onLift();
    },
  };
  const timer = setTimeout(() => {
    onLate();
    hold.lift();
  }, timeoutMs);
  ready.then(hold.lift, hold.lift);
  return hold;
}
