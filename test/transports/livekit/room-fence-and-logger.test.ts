import { firstValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { EndTaskFrame } from '../../../src/frames/lifecycle.ts';
import { liveKitPlan } from '../../../src/transports/livekit/livekit-options.ts';
import { RoomFence } from '../../../src/transports/livekit/room-fence.ts';

it('ends the run of a deleted room although the logger throws', async () => {
  const broken = (): never => {
    throw new Error('disk full');
  };
  const logger = { debug: broken, info: broken, warn: broken, error: broken };
  const plan = liveKitPlan({ url: 'ws://livekit.example.com', apiKey: 'key', apiSecret: 'secret', logger });
  const ask = vi.fn();
  new RoomFence(plan, ask).disconnected('ROOM_DELETED');
  expect(ask).toHaveBeenCalledExactlyOnceWith(expect.any(EndTaskFrame));
  expect(plan.deleter && (await firstValueFrom(plan.deleter.outcome$))).toMatchObject({
    status: 'already-gone',
  });
});
