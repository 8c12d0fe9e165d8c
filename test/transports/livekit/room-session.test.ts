import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { RoomSession } from '../../../src/transports/livekit/room-session.ts';
import { rtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { joinToken } from '../../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** How many listeners the SDK's client has; it has a client only while the native part runs. */
function listenerCount(): number | undefined {
  const { _ffiClientInstance: client } = globalThis as { _ffiClientInstance?: unknown };
  return (client as { listenerCount(event: string): number } | undefined)?.listenerCount('ffi_event');
}

describe('RoomSession', () => {
  let server: LiveKitServer;
  let rooms = 0;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  function newRoom(token?: string): { room: RoomSession; name: string; createToken: () => Promise<string> } {
    const name = `room-${rooms++}`;
    const createToken = vi.fn(async () => token ?? (await joinToken(server, name, 'bot')));
    const room = new RoomSession({ url: server.url, createToken, logger: silentLogger });
    return { room, name, createToken };
  }

  it('is joined once for all its owners, and left by the last', async () => {
    const { room, name, createToken } = newRoom();
    const [one, other] = [{}, {}];
    await Promise.all([room.connect(one), room.connect(other), room.connect(one)]);
    expect(createToken).toHaveBeenCalledTimes(1);
    await Promise.all([room.disconnect(one), room.disconnect(one)]);
    expect(room.closed).toBe(false);
    expect(await listParticipants(server, name)).toHaveLength(1);
    await room.disconnect(other);
    expect(room.closed).toBe(true);
    expect(await listParticipants(server, name)).toEqual([]);
    await room.disconnect(other);
  });

  it('leaves nothing behind in the SDK, and shuts it down', async () => {
    const { room } = newRoom();
    await room.connect(room);
    await room.tracks?.publishAudio(undefined, { sampleRate: 24_000, numChannels: 1 });
    expect(listenerCount()).toBeGreaterThan(0);
    await room.disconnect(room);
    expect(listenerCount()).toBeUndefined();
  });

  it('leaves no listener behind when the server has closed it and others go on', async () => {
    const { room: staying } = newRoom();
    await staying.connect(staying);
    const before = listenerCount();
    for (let time = 0; time < 3; time += 1) {
      const { room, name } = newRoom();
      const events: unknown[] = [];
      room.events$.subscribe((event) => events.push(event));
      await room.connect(room);
      await roomService(server).deleteRoom(name);
      await vi.waitFor(() => expect(room.closed).toBe(true), 5_000);
      expect(events).toContainEqual({ type: 'disconnected', reason: 'ROOM_DELETED' });
      await room.disconnect(room);
    }
    expect(listenerCount()).toBe(before);
    await staying.disconnect(staying);
  });

  it('does not shut the SDK down while somebody else listens to it', async () => {
    const { rtc, release } = await rtcNode.acquire();
    const { room, name } = newRoom();
    const others = new rtc.Room();
    await others.connect(server.url, await joinToken(server, name, 'other'));
    await room.connect(room);
    await room.disconnect(room);
    await release();
    expect(others.isConnected).toBe(true);
    await others.disconnect();
  });

  it('tries again, but not when LiveKit refuses', async () => {
    const refused = newRoom(await joinToken({ ...server, apiSecret: 'x'.repeat(32) }, 'room', 'bot'));
    await expect(refused.room.connect(refused)).rejects.toThrow(/could not be joined.*401.*\[redacted\]/);
    expect(refused.createToken).toHaveBeenCalledTimes(1);
    const createToken = vi.fn(async () => 'token');
    const nobody = new RoomSession({ url: 'ws://127.0.0.1:9', createToken, logger: silentLogger });
    await expect(nobody.connect(nobody)).rejects.toThrow(/could not be joined/);
    expect(createToken).toHaveBeenCalledTimes(3);
    await Promise.all([refused.room.disconnect(refused), nobody.disconnect(nobody)]);
    expect(listenerCount()).toBeUndefined();
  });

  it('is left within two seconds while the server is frozen, and the SDK is of use after that', async () => {
    const frozen = await startLiveKitServer({ config: {} });
    onTestFinished(() => frozen.stop());
    const createToken = (): Promise<string> => joinToken(frozen, 'frozen', 'bot');
    const room = new RoomSession({ url: frozen.url, createToken, logger: silentLogger });
    await room.connect(room);
    process.kill(frozen.pid as number, 'SIGSTOP');
    const at = performance.now();
    await room.disconnect(room);
    expect(performance.now() - at).toBeLessThan(promised(2_000));
    expect(listenerCount()).toBeUndefined();
    const { room: next, name } = newRoom();
    await next.connect(next);
    expect(await listParticipants(server, name)).toHaveLength(1);
    await next.disconnect(next);
  });

  it('can be left while it is being joined, at once', async () => {
    const frozen = await startLiveKitServer({ config: {} });
    onTestFinished(() => frozen.stop());
    const createToken = (): Promise<string> => joinToken(frozen, 'frozen', 'bot');
    const room = new RoomSession({ url: frozen.url, createToken, logger: silentLogger });
    process.kill(frozen.pid as number, 'SIGSTOP');
    void room.connect(room).catch(() => {});
    await vi.waitFor(() => expect(listenerCount()).toBeGreaterThan(0), 5_000);
    const at = performance.now();
    await room.disconnect(room);
    expect(performance.now() - at).toBeLessThan(promised(500));
    expect(listenerCount()).toBeUndefined();
  });
});
