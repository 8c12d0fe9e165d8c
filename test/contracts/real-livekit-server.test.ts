import { afterAll, beforeAll } from 'vitest';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { describeWith } from '../support/requirements.ts';
import { joinToken } from '../support/tokens.ts';
import { roomRestContract } from './room-rest.contract.ts';
import { roomServiceWireContract } from './room-service-wire.contract.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('the real server', () => {
  let server: LiveKitServer;
  const callers: Caller[] = [];
  beforeAll(async () => {
    server = await startLiveKitServer();
  });
  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await server.stop();
  });

  // a server that somebody else runs may be of another version, with other words
  if (!process.env.LIVEKIT_URL) roomServiceWireContract(() => server);
  roomRestContract(
    () => server,
    () => {
      const { apiKey, apiSecret, httpUrl: apiUrl } = server;
      return {
        rest: new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }),
        stranger: new LiveKitRESTHelper({ apiKey, apiSecret: 'x'.repeat(32), apiUrl }),
        joins: async (room, identity) => {
          const caller = spawnCaller({ url: server.url, token: await joinToken(server, room, identity) });
          callers.push(caller);
          await caller.waitFor('joined');
          return { disconnected: caller.waitFor('disconnected').then(({ reason }) => reason) };
        },
      };
    },
  );
});
