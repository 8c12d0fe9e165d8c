import { afterAll, beforeAll, vi } from 'vitest';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { describeEachServer } from '../support/server-versions.ts';
import { joinToken } from '../support/tokens.ts';
import { roomRestContract } from './room-rest.contract.ts';
import { roomServiceWireContract } from './room-service-wire.contract.ts';

const describe = await describeEachServer('@livekit/rtc-node');

describe('the real server', ({ version, start }) => {
  let server: LiveKitServer;
  const callers: Caller[] = [];
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await server.stop();
  });

  // a server that somebody else runs may be of another version, with other words
  if (version !== undefined) roomServiceWireContract(() => server, version);
  roomRestContract(
    () => server,
    () => {
      const { apiKey, httpUrl: apiUrl } = server;
      return {
        createRest: (apiSecret = server.apiSecret) => new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }),
        joins: async (room, identity) => {
          const caller = spawnCaller({ url: server.url, token: await joinToken(server, room, identity) });
          callers.push(caller);
          await caller.waitFor('joined');
          return { disconnected: caller.waitFor('disconnected').then(({ reason }) => reason) };
        },
        withServerAhead: async (aheadMs, work) => {
          vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - aheadMs });
          return work().finally(() => void vi.useRealTimers());
        },
      };
    },
  );
});
