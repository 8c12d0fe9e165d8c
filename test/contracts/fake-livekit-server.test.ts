import { afterAll, beforeAll } from 'vitest';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { roomRestContract } from './room-rest.contract.ts';
import { roomServiceWireContract } from './room-service-wire.contract.ts';

let server: FakeLiveKitServer;
beforeAll(async () => {
  server = await FakeLiveKitServer.start();
});
afterAll(() => server.stop());

roomServiceWireContract(() => server);
roomRestContract(
  () => server,
  () => {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    return {
      rest: new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }),
      stranger: new LiveKitRESTHelper({ apiKey, apiSecret: 'x'.repeat(32), apiUrl }),
      joins: async (room, identity) => server.join(room, identity),
    };
  },
);
