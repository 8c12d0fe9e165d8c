import { beforeAll, expect } from 'vitest';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import type { Caller } from '../../src/testing/caller.ts';
import { HeardAudio } from '../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { describeWith } from '../support/requirements.ts';
import { listParticipants, roomExists } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { call, newTransport } from '../transports/livekit/call.ts';
import { type OtherSide, transportContract } from './transport.contract.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('LiveKitTransport', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  transportContract(async (params) => {
    const transport = newTransport(server, { params });
    const { roomName, identity } = transport;
    const outcomes: RoomDeletionOutcome[] = [];
    transport.outcome$.subscribe((outcome) => outcomes.push(outcome));
    return {
      transport,
      joins: async (who, kind) => otherSide(await call(server, roomName, who, kind)),
      botIsThere: async () =>
        (await listParticipants(server, roomName)).some((participant) => participant.identity === identity),
      expectOver: async () => {
        expect(outcomes).toMatchObject([{ status: 'deleted', attempts: 1 }]);
        expect(await roomExists(server, roomName)).toBe(false);
      },
    };
  });
});

function otherSide(caller: Caller): OtherSide {
  return {
    speaks: (frequencyHz, durationMs) => caller.playTone(frequencyHz, durationMs),
    sends: (message) => caller.sendMessage(JSON.stringify(message)),
    presses: (keys) => caller.pressKeys(keys),
    leaves: () => caller.leave(),
    // a caller has nothing to tell of somebody who has said nothing yet
    heard: async () =>
      caller.events.some(({ event }) => event === 'audioStarted')
        ? caller.heard()
        : new HeardAudio().report(),
    get messages() {
      return caller.events.flatMap((event) => (event.event === 'messageReceived' ? [event.text] : []));
    },
    get keys() {
      return caller.events.flatMap((event) => (event.event === 'keyReceived' ? [event.key] : []));
    },
    get isAlone() {
      return caller.waitFor('disconnected').then(() => caller.exited);
    },
  };
}
