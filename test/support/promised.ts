/**
 * The limit for something that is promised to stay within it, such as milliseconds until a room is gone.
 *
 * The promises themselves are measured by `npm run faults`, which has the machine for itself. Elsewhere a limit only
 * tells what happens by itself from what never does or waits for something else: a machine may be slow, and where
 * both cores are busy loopback loses packets and jitter buffers stretch.
 *
 * @param limit What is promised.
 * @param otherwise What is still sane on a busy machine. Default: five times as much, and 30,000 at least.
 */
export function promised(limit: number, otherwise: number = Math.max(5 * limit, 30_000)): number {
  return process.env.ENDFRAME_TEST_TIMES === 'as promised' ? limit : otherwise;
}
