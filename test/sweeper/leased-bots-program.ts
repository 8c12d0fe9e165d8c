/** Bots that join, beat their lease, and do nothing else: a child process, told by IPC which rooms. */

import { Room } from '@livekit/rtc-node';
import { silentLogger } from '../../src/logger.ts';
import { LeaseBeat } from '../../src/rooms/lease.ts';

export interface LeasedBotsOrder {
  readonly url: string;
  /** One token for each bot. */
  readonly tokens: readonly string[];
  readonly beatMs: number;
}

process.on('message', async ({ url, tokens, beatMs }: LeasedBotsOrder) => {
  for (const token of tokens) {
    const room = new Room();
    await room.connect(url, token, { autoSubscribe: false, dynacast: false });
    const write = async (attributes: Readonly<Record<string, string>>): Promise<void> =>
      room.localParticipant?.setAttributes({ ...attributes });
    new LeaseBeat({ write, beatMs, logger: silentLogger }).start();
  }
  process.send?.('ready');
});
process.on('disconnect', () => process.exit());
process.send?.('loaded');
