import type { Logger } from '../../lib/logger.ts';
import { LeaseBeat } from '../../rooms/lease-beat.ts';
import { maySetAttributes } from './token-claims.ts';

export interface BotLeaseOptions {
  /** The one the bot has joined with. */
  readonly token: string;
  readonly setAttributes: (attributes: Readonly<Record<string, string>>) => Promise<unknown>;
  /** Milliseconds. Default 5 000. */
  readonly beatMs: number | undefined;
  readonly logger: Logger;
}

/**
 * Tells sweepers from now on that the bot's event loop is alive.
 *
 * Where the token does not allow it there is one warning, and sweepers go by the bot's presence alone: if it has the
 * agent grant or they were told its name. Else it is no bot to them, and its room is swept, also during a call.
 */
export function startLease({ token, setAttributes, beatMs, logger }: BotLeaseOptions): LeaseBeat | undefined {
  if (!maySetAttributes(token)) {
    const hint =
      'a token of createAgentToken, or with canUpdateOwnMetadata, has one; sweepers keep this room only for a bot with the agent grant, or one that --bot names';
    logger.warn({ hint }, 'the bot has no lease: its token does not let it write its attributes');
    return undefined;
  }
  const beat = new LeaseBeat({ write: setAttributes, beatMs, logger });
  beat.start();
  return beat;
}
