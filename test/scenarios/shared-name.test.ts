/** A room whose name others use too, on a real server. */

import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { diesWithin } from '../support/is-alive.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';

const describe = await describeWith('livekit-server');

describe('row 56: a room of the same name that others have created since', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  async function setup(roomName: string) {
    const rooms = roomService(server);
    const create = async (name: string) => (await rooms.createRoom({ name, emptyTimeout: 300 })).sid;
    const first = await create(roomName);
    const bystander = await create(`${roomName}-2`);
    onTestFinished(killBots);
    return {
      roomName,
      first,
      /** What others do: their meeting is over, and the next one begins. */
      async replace(): Promise<string> {
        await rooms.deleteRoom(roomName);
        return create(roomName);
      },
      async expectLeft(...sids: readonly string[]): Promise<void> {
        const left = await listRooms(server, roomName, `${roomName}-2`);
        expect(left.map(({ sid }) => sid).sort()).toEqual([...sids, bystander].sort());
      },
    };
  }

  it('stays, even if it is created between the decision and the deletion', async () => {
    const { roomName, first, replace, expectLeft } = await setup('stand-up');
    let second = '';
    const deleter = new RoomDeleter({
      roomName,
      rest: new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl }),
      deleteWhen: async () => {
        second = await replace();
        return true;
      },
      logger: silentLogger,
    });
    await deleter.arm();
    await expectLeft(first);
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
    await expectLeft(second);
  });

  it('stays when the bot of the earlier one is killed', async () => {
    const { roomName, first: sid, replace, expectLeft } = await setup('retrospective');
    const killed = await startBot({ server, roomName, room: { owned: false, sid }, verify: false });
    const pid = await killed.guardianPid();
    const second = await replace();
    killed.kill('SIGKILL');
    expect(await diesWithin(pid, 10_000)).toBe(true);
    await expectLeft(second);
  });

  it('would not stay if it were the same', async () => {
    const { roomName, first: sid, expectLeft } = await setup('planning');
    const killed = await startBot({ server, roomName, room: { owned: false, sid }, verify: false });
    const pid = await killed.guardianPid();
    killed.kill('SIGKILL');
    expect(await diesWithin(pid, 10_000)).toBe(true);
    await expectLeft();
  });
});
