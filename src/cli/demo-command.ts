/** The command `endframe demo`: arguments and help; the demo itself is loaded on demand. */

import { writeOrDrop } from '../lib/logger.ts';
import { hintAtHelp, parseOptions } from './usage.ts';

const demoUsage = `endframe demo

Two calls against a real LiveKit server, each with a bot and a caller: one is ended by EndFrame when the bot has
spoken, one is cut by CancelFrame. Tells what happens, and when.

The server is the one that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name, or livekit-server on PATH, or
one that is built with Go, once. Without one, or without @livekit/rtc-node, both are simulated.

Exit codes: 0 both rooms are gone, and both callers were told why; 1 not so; 2 wrong usage.
`;

/**
 * `endframe demo`.
 *
 * @returns The exit code; see {@link demoUsage}.
 */
export async function demoCommand(args: readonly string[]): Promise<number> {
  const asked = parseOptions(args, { help: { type: 'boolean', short: 'h' } });
  if ('wrong' in asked) {
    writeOrDrop(process.stderr, hintAtHelp(asked.wrong, 'demo'));
    return 2;
  }
  if (!asked.help) return (await import('./demo.ts')).demo();
  writeOrDrop(process.stdout, demoUsage);
  return 0;
}
