import { afterAll, beforeAll, describe } from 'vitest';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { roomRestContract } from './room-rest.contract.ts';
import { roomServiceWireContract } from './room-service-wire.contract.ts';

describe.each(['1.9', '1.13'] as const)('the fake server, as LiveKit %s', (version) => {
  let server: FakeLiveKitServer;
  beforeAll(async () => {
    server = await FakeLiveKitServer.start({ version });
  });
  afterAll(() => server.stop());

  roomServiceWireContract(() => server, version);
  roomRestContract(
    () => server,
    () => {
      const { apiKey, httpUrl: apiUrl } = server;
      return {
        createRest: (apiSecret = server.apiSecret) => new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }),
        joins: async (room, identity) => server.join(room, identity),
        withServerAhead: async (aheadMs, work) => {
          server.clockOffsetMs = aheadMs;
          return work().finally(() => {
            server.clockOffsetMs = 0;
          });
        },
      };
    },
  );
});
