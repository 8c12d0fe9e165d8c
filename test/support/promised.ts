/**
 * The limit for something that is promised to happen within so many milliseconds.
 *
 * The promises themselves are measured by `npm run faults`, which has the machine for itself. Elsewhere a limit only
 * tells what happens by itself from what never does or waits for something else: a machine may be slow.
 */
export function promised(ms: number): number {
  return process.env.ENDFRAME_TEST_TIMES === 'as promised' ? ms : Math.max(5 * ms, 10_000);
}
