import { describe, expect, it } from 'vitest';
import {
  InputAudioRawFrame,
  InputTransportStartAudioStreamingFrame,
  UserAudioRawFrame,
} from '../../src/frames/audio.ts';
import type { ErrorFrame } from '../../src/frames/error-frame.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { BaseInputTransport } from '../../src/transports/base-input.ts';
import { resolveParams } from '../../src/transports/transport-params.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { makeTask } from '../support/start-pipeline.ts';
import { ramp, startCall } from './call-setup.ts';

const chunk = { audio: ramp(20), sampleRate: 16_000, numChannels: 1 };
const names = (frames: readonly object[]): string[] => frames.map((frame) => frame.constructor.name);

describe('BaseInputTransport', () => {
  useFakeTime();

  it('sends what a participant says down the pipeline, with the identity', async () => {
    const bot = await startCall();
    bot.transport.participantSpeaks('ada', chunk);
    await passes(0);
    const [frame] = bot.inside.framesOf(UserAudioRawFrame);
    expect(frame).toMatchObject({ userId: 'ada', sampleRate: 16_000, numChannels: 1, durationMs: 20 });
  });

  it('begins with the StartFrame, then who is there', async () => {
    const transport = new MemoryTransport();
    transport.participantJoins('ada');
    transport.participantSpeaks('ada', chunk);
    const bot = await startCall({}, { transport });
    expect(names(bot.inside.frames)).toEqual([
      'StartFrame',
      'BotConnectedFrame',
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
    ]);
  });

  it('tells who comes and goes', async () => {
    const bot = await startCall();
    bot.transport.participantJoins('ada');
    bot.transport.participantJoins('bob');
    bot.transport.participantLeaves('ada');
    expect(names(bot.inside.frames).slice(2)).toEqual([
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
      'ParticipantJoinedFrame',
      'ParticipantLeftFrame',
    ]);
  });

  it.each([
    ['audio in is off', { audioOutEnabled: true }],
    ['audio is not passed through', { audioInEnabled: true, audioInPassthrough: false }],
  ])('pushes no sound when %s', async (_why, params) => {
    const bot = await startCall({ params });
    bot.transport.participantSpeaks('ada', chunk);
    expect(bot.inside.framesOf(InputAudioRawFrame)).toEqual([]);
  });

  it('treats sound that the task sends in as heard', async () => {
    const bot = await startCall({ params: { audioInEnabled: true, audioInPassthrough: false } });
    bot.says(new InputAudioRawFrame(chunk));
    await passes(0);
    expect(bot.inside.framesOf(InputAudioRawFrame)).toEqual([]);
  });

  it('waits for the frame that asks for sound, in each run anew, where it is told to', async () => {
    const params = { audioInEnabled: true, audioInStreamOnStart: false };
    const transport = new MemoryTransport({ params });
    for (let run = 0; run < 2; run += 1) {
      const bot = await startCall({}, { transport });
      transport.participantSpeaks('ada', chunk);
      expect(bot.inside.framesOf(UserAudioRawFrame)).toEqual([]);
      bot.says(new InputTransportStartAudioStreamingFrame());
      await passes(0);
      transport.participantSpeaks('ada', chunk);
      expect(bot.inside.framesOf(UserAudioRawFrame)).toHaveLength(1);
      expect(names(bot.inside.frames)).not.toContain('InputTransportStartAudioStreamingFrame');
      bot.says(new StopFrame());
      await passes(0);
      await bot.result;
    }
  });

  it('is silent behind an EndFrame', async () => {
    const bot = await startCall();
    bot.says(new EndFrame());
    await passes(0);
    bot.transport.participantSpeaks('ada', chunk);
    bot.transport.participantJoins('ada');
    await bot.result;
    expect(names(bot.inside.frames).at(-1)).toBe('EndFrame');
  });

  it('ends a run although leaving fails', async () => {
    class Clings extends BaseInputTransport {
      protected override async leave(): Promise<void> {
        throw new Error('cannot leave');
      }
    }
    const { task } = makeTask([new Clings(resolveParams({}))]);
    const errors: string[] = [];
    task.on('error', (frame) => void errors.push((frame as ErrorFrame).error));
    task.stopWhenDone();
    expect(await task.run()).toMatchObject({ reason: 'ended', forced: false });
    expect(errors).toEqual(['cannot leave']);
  });

  it('is silent between two runs, and hears again in the next one', async () => {
    const transport = new MemoryTransport();
    const first = await startCall({}, { transport });
    first.says(new StopFrame());
    await passes(0);
    await first.result;
    transport.participantJoins('ada');
    transport.participantSpeaks('ada', chunk);
    const second = await startCall({}, { transport });
    expect(second.inside.framesOf(UserAudioRawFrame)).toEqual([]);
    transport.participantSpeaks('ada', chunk);
    expect(second.inside.framesOf(UserAudioRawFrame)).toHaveLength(1);
    expect(names(second.inside.frames)).toContain('ParticipantJoinedFrame');
  });
});
