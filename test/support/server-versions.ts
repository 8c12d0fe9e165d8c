/** The LiveKit servers that tests run against: the oldest that endframe works with, and the newest. */

import type { FakeLiveKitVersion } from '../../src/testing/fake-tokens.ts';
import { liveKitServerVersion } from '../../src/testing/livekit-server-program.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { describeWith, type Requirement } from './requirements.ts';

export const oldestServerVersion = 'v1.9.11';

export interface TestedServer {
  /** `undefined` for a server that somebody else runs. */
  readonly version: FakeLiveKitVersion | undefined;
  readonly start: () => Promise<LiveKitServer>;
}

const oldest: TestedServer = {
  version: '1.9',
  start: () => startLiveKitServer({ version: oldestServerVersion }),
};
const newest: TestedServer = {
  version: '1.13',
  start: () => startLiveKitServer({ version: liveKitServerVersion }),
};

/** A `describe` that runs its body for each version, or for the one server that `LIVEKIT_URL` names. */
export async function describeEachServer(
  ...needed: readonly Requirement[]
): Promise<(title: string, body: (server: TestedServer) => void) => void> {
  if (process.env.LIVEKIT_URL) {
    const describe = await describeWith('livekit-server', ...needed);
    return (title, body) => describe(title, () => body({ version: undefined, start: startLiveKitServer }));
  }
  const onOldest = await describeWith('livekit-server v1.9.11', ...needed);
  const onNewest = await describeWith('livekit-server v1.13.5', ...needed);
  return (title, body) => {
    onOldest(`${title}, on LiveKit ${oldestServerVersion}`, () => body(oldest));
    onNewest(`${title}, on LiveKit ${liveKitServerVersion}`, () => body(newest));
  };
}
