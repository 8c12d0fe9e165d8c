import { describe, expect, expectTypeOf, it } from 'vitest';
import { UserAudioRawFrame } from '../../src/frames/audio.ts';
import { InputDTMFFrame, OutputDTMFFrame } from '../../src/frames/dtmf.ts';
import { UserImageRawFrame } from '../../src/frames/images.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { InputTransportMessageFrame, OutputTransportMessageFrame } from '../../src/frames/messages.ts';
import { ParticipantJoinedFrame, ParticipantLeftFrame } from '../../src/frames/participants.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import { MemoryTransport, type MemoryTransportEvents } from '../../src/testing/memory-transport.ts';
import type { LiveKitTransportEvents } from '../../src/transports/livekit/room-events.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { namesOf, sound, startCall } from '../transports/call-setup.ts';

const names = [
  'connected',
  'disconnected',
  'left',
  'participantJoined',
  'participantLeft',
  'dataReceived',
  'dtmfReceived',
] as const;

/** Writes down the events, with their facts. */
function listen(transport: MemoryTransport): string[] {
  const events: string[] = [];
  for (const name of names) {
    transport.on(name, (event: object = {}) => {
      const { type, kind, ...facts } = { type: '', kind: '', ...event };
      const texts = Object.values(facts).map((value: unknown) =>
        value instanceof Uint8Array ? new TextDecoder().decode(value) : value,
      );
      events.push([name, ...texts.filter((value) => value !== undefined)].join(' '));
    });
  }
  return events;
}

describe('MemoryTransport', () => {
  useFakeTime();

  it('has the events of a LiveKitTransport, with their facts by name', () => {
    expectTypeOf<MemoryTransportEvents>().toEqualTypeOf<
      Pick<LiveKitTransportEvents, (typeof names)[number]>
    >();
    expectTypeOf<Parameters<MemoryTransportEvents['dtmfReceived']>>().toEqualTypeOf<
      [{ readonly type: 'dtmfReceived'; readonly digit: string; readonly identity: string | undefined }]
    >();
    expectTypeOf<Parameters<MemoryTransportEvents['left']>>().toEqualTypeOf<[]>();
  });

  it('hands each listener the facts of an event by their names', async () => {
    const { transport } = await startCall();
    const told: unknown[] = [];
    transport.on('participantJoined', ({ identity, kind }) => told.push({ identity, kind }));
    transport.on('dtmfReceived', ({ identity, digit }) => told.push({ identity, digit }));
    transport.participantJoins('ada', 'sip');
    transport.participantPresses('ada', '7');
    expect(told).toEqual([
      { identity: 'ada', kind: 'sip' },
      { identity: 'ada', digit: '7' },
    ]);
  });

  it('tells of a call from the join to the end', async () => {
    const transport = new MemoryTransport();
    const events = listen(transport);
    transport.participantJoins('ada');
    const bot = await startCall({}, { transport });
    transport.participantJoins('bob');
    transport.participantJoins('bob');
    transport.participantLeaves('ada');
    transport.participantLeaves('stranger');
    bot.says(new EndFrame());
    await passes(0);
    await bot.result;
    expect(events).toEqual([
      'connected',
      'participantJoined ada',
      'participantJoined bob',
      'participantLeft ada',
      'left',
    ]);
  });

  it('brings messages and keys of participants, as frames and as events', async () => {
    const bot = await startCall();
    const events = listen(bot.transport);
    bot.transport.participantJoins('ada');
    bot.transport.participantSends('ada', { answer: 42 });
    bot.transport.participantSends('ada', 'no object');
    bot.transport.participantPresses('ada', '1A#');
    await passes(0);
    expect(bot.inside.framesOf(InputTransportMessageFrame)).toMatchObject([
      { message: { answer: 42 }, participantId: 'ada' },
    ]);
    expect(bot.inside.framesOf(InputDTMFFrame).map(({ button }) => button)).toEqual(['1', '#']);
    expect(events.slice(1)).toEqual([
      'dataReceived {"answer":42} ada',
      'dataReceived no object ada',
      'dtmfReceived 1 ada',
      'dtmfReceived A ada',
      'dtmfReceived # ada',
    ]);
  });

  it('keeps the keys that the bot presses', async () => {
    const bot = await startCall();
    bot.says(OutputDTMFFrame.fromString('12#'));
    await passes(200);
    expect(bot.transport.keys).toEqual(['1', '2', '#']);
  });

  it('shows the bot what participants show, where video in is on', async () => {
    const image = { image: Uint8Array.of(1), width: 1, height: 1, format: 'GRAY' };
    for (const videoInEnabled of [true, false]) {
      const bot = await startCall({ params: { videoInEnabled } });
      bot.transport.participantShows('ada', image);
      expect(bot.inside.framesOf(UserImageRawFrame)).toMatchObject(
        videoInEnabled ? [{ userId: 'ada', width: 1, format: 'GRAY', transportSource: 'camera' }] : [],
      );
    }
  });

  it.each([
    [undefined, ['microphone']],
    [
      ['microphone', 'screen-share'],
      ['microphone', 'screen-share'],
    ],
  ] as const)('hears the sources that it is told to, and names them: %j', async (audioInSources, heard) => {
    const bot = await startCall({ params: { audioInEnabled: true, audioInSources } });
    const chunk = { audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 };
    bot.transport.participantSpeaks('ada', chunk);
    bot.transport.participantSpeaks('ada', chunk, 'screen-share');
    const frames = bot.inside.framesOf(UserAudioRawFrame);
    expect(frames.map(({ transportSource }) => transportSource)).toEqual(heard);
  });

  it('ends the run when the other side disconnects, and is silent from then on', async () => {
    const bot = await startCall();
    const events = listen(bot.transport);
    bot.transport.participantJoins('ada');
    bot.says(sound(400));
    await passes(100);
    bot.transport.disconnects('PARTICIPANT_REMOVED');
    expect(bot.transport.participants).toEqual([]);
    bot.transport.participantJoins('bob');
    await passes(0);
    expect(await bot.result).toMatchObject({
      reason: 'ended',
      forced: false,
      frame: { reason: 'PARTICIPANT_REMOVED' },
    });
    expect(events).toEqual(['participantJoined ada', 'disconnected PARTICIPANT_REMOVED']);
    expect(bot.transport.playedMs).toBe(80);
    expect(bot.transport.history).toEqual(['joined', 'left']);
  });

  it('lets a bot notice that it has been left alone', async () => {
    const bot = await startCall({}, { between: [new EndWhenAlone({ graceMs: 1_000 })] });
    bot.transport.participantJoins('ada');
    await passes(5_000);
    bot.transport.participantLeaves('ada');
    await passes(1_000);
    expect(await bot.result).toMatchObject({ reason: 'ended', frame: { reason: 'alone in the room' } });
  });

  it('reports a message that LiveKit would not carry, with its size', async () => {
    const bot = await startCall();
    const errors: unknown[] = [];
    bot.task.on('error', (error) => errors.push(error));
    bot.says(new OutputTransportMessageFrame('x'.repeat(70_000)));
    await passes(0);
    expect(errors).toMatchObject([{ error: expect.stringContaining('got 70000') }]);
    expect(bot.transport.messages).toEqual([]);
  });

  it('refuses an option that does not exist', () => {
    expect(() => new MemoryTransport({ pace: false } as never)).toThrow(InvalidOptionError);
  });

  it('says that the conversation can begin when the first person is there', async () => {
    const transport = new MemoryTransport();
    transport.participantJoins('recorder', 'egress');
    const bot = await startCall({}, { transport });
    transport.participantJoins('avatar', 'agent');
    transport.participantLeaves('avatar');
    expect(namesOf(bot.inside.frames)).not.toContain('ClientConnectedFrame');
    transport.participantJoins('ada', 'sip');
    transport.participantJoins('bob');
    expect(namesOf(bot.inside.frames).slice(-3)).toEqual([
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
      'ParticipantJoinedFrame',
    ]);
    const kinds = bot.inside.framesOf(ParticipantJoinedFrame).map((frame) => frame.participantKind);
    expect(kinds).toEqual(['egress', 'agent', 'sip', 'standard']);
    expect(bot.inside.framesOf(ParticipantLeftFrame)).toMatchObject([{ participantKind: 'agent' }]);
  });

  it('says so of the first machine where everybody is company', async () => {
    const bot = await startCall({ params: { company: 'everybody' } });
    bot.transport.participantJoins('other bot', 'agent');
    expect(namesOf(bot.inside.frames).at(-1)).toBe('ClientConnectedFrame');
  });

  it('stays connected over a StopFrame, and tells the next run who is there', async () => {
    const transport = new MemoryTransport();
    const events = listen(transport);
    const first = await startCall({}, { transport });
    transport.participantJoins('ada');
    first.says(new StopFrame());
    await passes(0);
    await first.result;
    const second = await startCall({}, { transport });
    expect(namesOf(second.inside.frames)).toEqual(['ParticipantJoinedFrame', 'ClientConnectedFrame']);
    expect(events).toEqual(['connected', 'participantJoined ada']);
  });
});
