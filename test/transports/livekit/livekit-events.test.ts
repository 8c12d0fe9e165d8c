import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { HeardAudio } from '../../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import type {
  LiveKitRoomEvent,
  LiveKitTransportEvents,
} from '../../../src/transports/livekit/room-events.ts';
import { loadRtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { type BotOptions, eventually, newTransport, sleep, startBot, tone } from './call.ts';
import { joinAsPeer } from './peer.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe("a LiveKitTransport's events", () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  /** A bot that runs, in a room with ada, and what its transport tells. */
  async function setup(options: BotOptions = {}) {
    const transport = newTransport(server, options);
    const told: LiveKitRoomEvent[] = [];
    transport.events$.subscribe((event) => void told.push(event));
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    const tells = (event: Partial<LiveKitRoomEvent>): Promise<void> =>
      eventually(() => told).toContainEqual(expect.objectContaining(event));
    return { transport, bot, ada, told, tells };
  }

  it('tells of attributes and metadata, of others, of the room, and of the bot itself', async () => {
    const { transport, ada, tells } = await setup();
    await ada.does({ does: 'setAttributes', attributes: { mood: 'good' } });
    await tells({ type: 'attributesChanged', identity: 'ada', attributes: { mood: 'good' } });
    await ada.does({ does: 'setMetadata', metadata: 'a caller' });
    await tells({ type: 'metadataChanged', identity: 'ada', metadata: 'a caller' });
    expect(transport.participant('ada')).toMatchObject({
      attributes: { mood: 'good' },
      metadata: 'a caller',
      kind: 'standard',
    });
    await roomService(server).updateRoomMetadata(transport.roomName, 'a hotline');
    await tells({ type: 'roomMetadataChanged', metadata: 'a hotline' });
    await transport.setAttributes({ state: 'thinking' });
    await ada.knows({ attributes: { [transport.identity]: { state: 'thinking' } } });
    await transport.setMetadata('a bot');
    await tells({ type: 'metadataChanged', identity: transport.identity, metadata: 'a bot' });
  });

  it('tells who is there at the join, right after the join', async () => {
    const { told, transport } = await setup();
    expect(told.slice(0, 2)).toEqual([
      { type: 'connected' },
      { type: 'participantJoined', identity: 'ada', kind: 'standard' },
    ]);
    expect(transport.participants).toEqual(['ada']);
    expect(transport.participant('nobody')).toBeUndefined();
  });

  it('tells who speaks, and how good the connection is', async () => {
    const { transport, ada, tells, told } = await setup();
    expect(transport.connectionQuality).toBeUndefined();
    await ada.does({ does: 'speak', frequencyHz: 440 });
    await tells({ type: 'trackSubscribed', identity: 'ada', kind: 'audio' });
    await tells({ type: 'activeSpeakersChanged', identities: ['ada'] });
    await ada.does({ does: 'stopSpeaking' });
    await tells({ type: 'trackUnsubscribed', identity: 'ada', kind: 'audio' });
    await tells({ type: 'connectionQualityChanged', identity: transport.identity });
    const last = told.findLast(
      (event) => event.type === 'connectionQualityChanged' && event.identity === transport.identity,
    );
    expect(last).toMatchObject({ quality: transport.connectionQuality });
    expect(transport.connectionQuality).toMatch(/^(excellent|good|poor)$/);
  });

  it('tells when somebody is muted by a moderator, the bot too', async () => {
    const { transport, ada, tells } = await setup();
    await ada.does({ does: 'speak', frequencyHz: 440 });
    await tells({ type: 'trackSubscribed', identity: 'ada', kind: 'audio' });
    for (const identity of ['ada', transport.identity]) {
      const sid = await vi.waitFor(async () => {
        const participants = await listParticipants(server, transport.roomName);
        const [track] = participants.find((one) => one.identity === identity)?.tracks ?? [];
        return track?.sid ?? expect.fail(`no track of ${identity} is listed`);
      }, 10_000);
      await roomService(server).mutePublishedTrack(transport.roomName, identity, sid, true);
      await tells({ type: 'trackMuted', identity, kind: 'audio' });
    }
  });

  it('tells the same by its events and as one stream, in the same order', async () => {
    const transport = newTransport(server);
    const names: readonly (keyof LiveKitTransportEvents)[] = [
      'connected',
      'left',
      'participantJoined',
      'trackSubscribed',
      'dtmfReceived',
    ];
    const emitted: unknown[] = [];
    for (const name of names) transport.on(name, (event?: unknown) => void emitted.push(event));
    const streamed: LiveKitRoomEvent[] = [];
    transport.events$.subscribe((event) => {
      if (names.includes(event.type)) streamed.push(event);
    });
    const ada = await joinAsPeer(server, transport.roomName);
    await ada.does({ does: 'speak', frequencyHz: 440 });
    const bot = startBot(server, { transport });
    await bot.started;
    await eventually(() => emitted).toContainEqual({
      type: 'trackSubscribed',
      identity: 'ada',
      kind: 'audio',
    });
    await ada.does({ does: 'press', code: 5, digit: '5' });
    await eventually(() => emitted).toContainEqual({ type: 'dtmfReceived', digit: '5', identity: 'ada' });
    bot.says(new EndFrame());
    await bot.result;
    expect(streamed.map(({ type }) => type)).toEqual([
      'connected',
      'participantJoined',
      'trackSubscribed',
      'dtmfReceived',
      'left',
    ]);
    expect(emitted).toEqual(streamed);
  });

  it.each([
    { audioInSources: undefined, heard: { microphone: 440 } },
    { audioInSources: ['microphone', 'screen-share'], heard: { microphone: 440, 'screen-share': 880 } },
  ] as const)('hears $heard, each apart and under its name', async ({ audioInSources, heard }) => {
    const { ada, bot, told } = await setup({ params: { audioInEnabled: true, audioInSources } });
    await ada.does({ does: 'share', frequencyHz: 880 });
    await ada.does({ does: 'speak', frequencyHz: 440 });
    const sources = new Map<string | undefined, HeardAudio>();
    bot.inside.frames$.subscribe((frame) => {
      if (!(frame instanceof UserAudioRawFrame)) return;
      const audio = sources.get(frame.transportSource) ?? new HeardAudio();
      sources.set(frame.transportSource, audio);
      const [first, second] = [frame.audio.subarray(0, 160), frame.audio.subarray(160)];
      for (const piece of [first, second]) audio.add(piece, frame.sampleRate, 0);
    });
    for (const [source, frequencyHz] of Object.entries(heard)) {
      await eventually(() => sources.get(source)?.report().heardMs).toBeGreaterThan(500);
      expect(Math.abs((sources.get(source)?.report().frequencyHz ?? 0) - frequencyHz)).toBeLessThan(40);
    }
    expect([...sources.keys()].sort()).toEqual(Object.keys(heard));
    const subscribed = told.filter(({ type }) => type === 'trackSubscribed');
    expect(subscribed).toHaveLength(Object.keys(heard).length);
  });

  it('hears nothing of those it has muted, also when they publish again, until it unmutes them', async () => {
    const { transport, ada, bot, tells } = await setup();
    const heard = (userId: string) =>
      bot.inside.framesOf(UserAudioRawFrame).filter((frame) => frame.userId === userId);
    await ada.does({ does: 'speak', frequencyHz: 440 });
    await eventually(() => heard('ada').length).toBeGreaterThan(0);
    transport.muteParticipant('ada');
    await tells({ type: 'trackUnsubscribed', identity: 'ada', kind: 'audio' });
    bot.inside.clear();
    await ada.does({ does: 'speak', frequencyHz: 880 });
    // who begins later is heard
    const bob = await joinAsPeer(server, transport.roomName, 'bob');
    await bob.does({ does: 'speak', frequencyHz: 440 });
    await eventually(() => heard('bob').length).toBeGreaterThan(0);
    expect(heard('ada')).toEqual([]);
    transport.unmuteParticipant('ada');
    await eventually(() => heard('ada').length).toBeGreaterThan(0);
  });

  it.each(['SIMULATE_NODE_FAILURE', 'SIMULATE_FULL_RECONNECT', 'SIMULATE_SIGNAL_RECONNECT'] as const)(
    'hears everybody again, and misses nobody, after a reconnect: %s',
    async (scenario) => {
      const { Room, SimulateScenarioKind } = await loadRtcNode();
      const connect = vi.spyOn(Room.prototype, 'connect');
      onTestFinished(() => connect.mockRestore());
      // a machine too busy for the guardian's heartbeat is not what this is about
      const { ada, bot, told, tells } = await setup({ deleteRoomOnEnd: { guardian: false } });
      await ada.does({ does: 'speak', frequencyHz: 440 });
      await tells({ type: 'trackSubscribed', identity: 'ada' });
      const [room] = connect.mock.contexts as InstanceType<typeof Room>[];
      await room?.simulateScenario(SimulateScenarioKind[scenario]);
      await tells({ type: 'reconnected' });
      bot.inside.clear();
      await eventually(() => bot.inside.framesOf(UserAudioRawFrame).length).toBeGreaterThan(20);
      bot.says(...tone(20_000, { frequencyHz: 1_000 }));
      await ada.knows({ heardHz: { 'endframe-audio': 1_000 } });
      // as long as those who are missing are waited for
      await sleep(5_100);
      expect(told.map(({ type }) => type)).toContain('reconnecting');
      expect(told.filter(({ type }) => type === 'participantLeft')).toEqual([]);
      expect(told.filter(({ type }) => type === 'participantJoined')).toHaveLength(1);
      expect(told.filter(({ type }) => type === 'disconnected')).toEqual([]);
    },
  );

  it('mutes the bot for others to see, and lets it be heard again', async () => {
    const { transport, ada, bot } = await setup();
    bot.says(...tone(30_000, { frequencyHz: 1_000 }));
    await ada.knows({ heardHz: { 'endframe-audio': 1_000 } });
    transport.mute();
    await ada.knows({ muted: { 'endframe-audio': true }, heardHz: { 'endframe-audio': 0 } });
    transport.unmute();
    await ada.knows({ muted: { 'endframe-audio': false }, heardHz: { 'endframe-audio': 1_000 } });
  });
});
