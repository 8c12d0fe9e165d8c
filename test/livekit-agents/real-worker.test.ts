/** One call of a real worker; `npm run test:agents` has them all, with the oldest version and the newest. */

import { it } from 'vitest';
import { describeWith } from '../support/requirements.ts';
import { knownAgents } from './install-agents.ts';
import { hasTypesThatFit, isDeletedWithEverybodyInside, stays, useWorld } from './real-worker.ts';

const describeTypes = await describeWith('@livekit/agents');
const describe = await describeWith('livekit-server', '@livekit/rtc-node', '@livekit/agents');

describeTypes('@livekit/agents', () => {
  it('has types that fit ours', () => hasTypesThatFit(async () => knownAgents));
});

describe('a job of @livekit/agents whose session closes', () => {
  const world = useWorld(async () => knownAgents);

  it('has its room deleted with attachRoomCleanup, and only then', async () => {
    const [watched, plain] = await Promise.all([
      world.call('session-closes', 'endframe'),
      world.call('session-closes', 'plain'),
    ]);
    await isDeletedWithEverybodyInside(watched);
    await stays(plain, 'closed: user_initiated');
  });
});
