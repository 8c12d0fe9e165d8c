/** Bots that join, beat their lease, and do nothing else: a child process, told by IPC which rooms. */

import { DisconnectReason, Room, RoomEvent } from '@livekit/rtc-node';
import { silentLogger } from '../../src/lib/logger.ts';
import { LeaseBeat } from '../../src/rooms/lease-beat.ts';

export interface LeasedBotsOrder {
  readonly url: string;
  /** One token for each bot. */
  readonly tokens: readonly string[];
  readonly beatMs: number;
  /** Whether they join again when they lose LiveKit. */
  readonly comesBack: boolean;
}

process.on('message', async ({ url, tokens, beatMs, comesBack }: LeasedBotsOrder) => {
  for (const token of tokens) {
    const room = new Room();
    const connect = (): Promise<void> => room.connect(url, token, { autoSubscribe: false, dynacast: false });
    await connect();
    // LiveKit that was away for long has lost them; only a deletion is an order to stay away
    room.on(RoomEvent.Disconnected, (reason) => {
      if (comesBack && reason !== DisconnectReason.ROOM_DELETED) connect().catch(() => process.exit(1));
    });
    const write = async (attributes: Readonly<Record<string, string>>): Promise<void> =>
      room.localParticipant?.setAttributes({ ...attributes });
    new LeaseBeat({ write, beatMs, logger: silentLogger }).start();
  }
  process.send?.('ready');
});
process.on('disconnect', () => process.exit());
process.send?.('loaded');
