import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomService } from '../support/room-service.ts';
import { joinToken } from '../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('spawnCaller', () => {
  let server: LiveKitServer;
  const callers: Caller[] = [];
  let rooms = 0;

  beforeAll(async () => {
    server = await startLiveKitServer();
  });
  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await server.stop();
  });

  const newRoom = (): string => `caller-test-${process.pid}-${rooms++}`;

  async function calls(room: string, identity: string, rejoins = false): Promise<Caller> {
    const token = await joinToken(server, room, identity);
    const caller = spawnCaller({ url: server.url, token, rejoins });
    callers.push(caller);
    await caller.waitFor('joined');
    return caller;
  }

  it('hears the tone another caller plays, whole', async () => {
    const room = newRoom();
    const ada = await calls(room, 'ada');
    const bob = await calls(room, 'bob');
    await bob.playTone(440, 1_000);
    const heard = await ada.heard('bob');
    expect(heard.heardMs).toBeGreaterThan(promised(950, 700));
    expect(heard.heardMs).toBeLessThan(promised(1_500, 4_000));
    expect(heard.frequencyHz).toBeGreaterThan(promised(420, 370));
    expect(heard.frequencyHz).toBeLessThan(promised(460, 520));
    await Promise.all([ada.stop(), bob.stop()]);
  });

  it('tells what it heard and why it was disconnected, then ends', async () => {
    const room = newRoom();
    const ada = await calls(room, 'ada');
    const bob = await calls(room, 'bob');
    const tone = bob.playTone(600, 10_000).catch(() => 'cut');
    await ada.waitFor('audioStarted');
    await roomService(server).deleteRoom(room);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    expect(await Promise.all([ada.exited, bob.exited, tone])).toEqual([0, 0, 'cut']);
    expect((await ada.heard('bob')).lastAt).toBeDefined();
  });

  it('joins again when told so', async () => {
    const room = newRoom();
    const ada = await calls(room, 'ada', true);
    await roomService(server).deleteRoom(room);
    const { at } = await ada.waitFor('disconnected');
    const again = await ada.waitFor('joined', { where: (event) => event.at > at });
    expect(again.roomSid).not.toBe((await ada.waitFor('joined')).roomSid);
    await ada.leave();
    expect(await ada.exited).toBe(0);
  });

  it('says why it could not join, and what it told before', async () => {
    const caller = spawnCaller({ url: server.url, token: 'not a token' });
    await caller.waitFor('failed');
    expect(await caller.exited).toBe(1);
    await expect(caller.waitFor('joined')).rejects.toThrow(/it has ended.*"failed"/s);
  });
});
