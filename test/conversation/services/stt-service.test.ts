import { describe, expect, it, vi } from 'vitest';
import {
  SegmentedSTTService,
  type SegmentedSTTServiceOptions,
} from '../../../src/conversation/services/segmented-stt-service.ts';
import { STTService, type Voice } from '../../../src/conversation/services/stt-service.ts';
import type { STTPart } from '../../../src/conversation/services/voice-stream.ts';
import { type AudioChunk, UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { ErrorFrame } from '../../../src/frames/error-frame.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { ParticipantLeftFrame } from '../../../src/frames/participants.ts';
import {
  STTMuteFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../../src/frames/speaking.ts';
import { TranscriptionFrame } from '../../../src/frames/text.ts';
import { passes, sleep, useFakeTime } from '../../support/fake-time.ts';
import { startPipeline } from '../../support/start-pipeline.ts';
import { heardFrom } from '../../vad/sounds.ts';

/** Says, for each piece of audio, whose it is and how long; a piece of one sample is an error. */
class CountingSTT extends STTService {
  readonly opened: string[] = [];
  isHanging = false;

  protected override async *transcribe(
    audio: AsyncIterable<AudioChunk>,
    { userId, signal }: Voice & { readonly signal: AbortSignal },
  ): AsyncGenerator<STTPart> {
    this.opened.push(userId);
    if (this.isHanging)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    for await (const chunk of audio) {
      if (chunk.audio.length === 1) throw Object.assign(new Error('cut'), { statusCode: 503 });
      if (chunk.audio.length === 2) throw Object.assign(new Error('wrong key'), { statusCode: 401 });
      yield { type: 'final', text: `${userId} ${chunk.audio.length}` };
    }
  }
}

async function setup<Service extends STTService>(service: Service) {
  const pipeline = await startPipeline([service]);
  const says = async (userId: string, ...lengths: number[]): Promise<void> => {
    for (const length of lengths) pipeline.task.queueFrame(heardFrom(userId, new Int16Array(length), 16_000));
    await passes(0);
  };
  const heard = () =>
    pipeline.down.framesOf(TranscriptionFrame).map(({ text, userId }) => `${userId}: ${text}`);
  const errors = () => pipeline.up.framesOf(ErrorFrame).map(({ category }) => category);
  return { ...pipeline, says, heard, errors };
}

describe('STTService', () => {
  useFakeTime();

  it('recognizes each voice in a stream of its own, and passes the audio on', async () => {
    const service = new CountingSTT();
    const { says, heard, down } = await setup(service);
    await says('ada', 160, 320);
    await says('bob', 160);
    expect(service.opened).toEqual(['ada', 'bob']);
    expect(heard()).toEqual(['ada: ada 160', 'ada: ada 320', 'bob: bob 160']);
    expect(down.framesOf(UserAudioRawFrame)).toHaveLength(3);
  });

  it('opens a stream that fails again, with the audio that has come meanwhile', async () => {
    const service = new CountingSTT();
    const { says, heard, errors } = await setup(service);
    await says('ada', 160, 1);
    await says('ada', 480);
    expect(errors()).toEqual(['server']);
    expect(heard()).toEqual(['ada: ada 160']);
    await passes(500);
    expect(heard()).toEqual(['ada: ada 160', 'ada: ada 480']);
    expect(service.opened).toHaveLength(2);
  });

  it('does not open it again, nor another one, after an error that will not pass', async () => {
    const service = new CountingSTT();
    const { says, errors } = await setup(service);
    await says('ada', 2);
    await says('bob', 160);
    await passes(60_000);
    expect(errors()).toEqual(['authentication']);
    expect(service.opened).toEqual(['ada']);
    expect(service.usable).toBe(false);
  });

  it('listens to nobody while it is muted, nor to who has left', async () => {
    const service = new CountingSTT();
    const { says, heard, task } = await setup(service);
    task.queueFrame(new STTMuteFrame(true));
    await says('ada', 160);
    task.queueFrame(new STTMuteFrame(false));
    await says('ada', 320);
    task.queueFrame(new ParticipantLeftFrame('ada'));
    await says('ada', 480);
    expect(heard()).toEqual(['ada: ada 320', 'ada: ada 480']);
    expect(service.opened).toEqual(['ada', 'ada']);
  });

  it('lets the last words come before the end, and does not wait for a stream that hangs', async () => {
    const service = new CountingSTT();
    const { says, heard, task, run } = await setup(service);
    await says('ada', 160);
    service.isHanging = true;
    await says('bob', 160);
    task.queueFrame(new EndFrame());
    await passes(2_000);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(heard()).toEqual(['ada: ada 160']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Takes 100 ms for an utterance, and says how long it was. */
class MeasuringSTT extends SegmentedSTTService {
  readonly #answer: () => Promise<void>;

  constructor(options: SegmentedSTTServiceOptions = {}, answer: () => Promise<void> = () => sleep(100)) {
    super(options);
    this.#answer = answer;
  }

  protected override async recognize({
    audio,
    sampleRate,
  }: {
    readonly audio: Int16Array;
    readonly sampleRate: number;
  }): Promise<STTPart> {
    await this.#answer();
    return { type: 'final', text: `${(audio.length / sampleRate) * 1_000} ms` };
  }
}

describe('SegmentedSTTService', () => {
  useFakeTime();

  const seconds = (count: number): number[] => Array.from({ length: count * 50 }, () => 320);

  it('recognizes what is said between the start and the stop of speech, with a second before and half a second behind', async () => {
    const { says, heard, task, down } = await setup(new MeasuringSTT());
    await says('ada', ...seconds(5));
    task.queueFrame(new VADUserStartedSpeakingFrame(200, 'ada'));
    await says('ada', ...seconds(2));
    task.queueFrame(new VADUserStoppedSpeakingFrame(200, 'ada'));
    await says('ada', ...seconds(1));
    expect(heard()).toEqual([]);
    await passes(100);
    expect(heard()).toEqual(['ada: 3500 ms']);
    expect(down.framesOf(TranscriptionFrame)[0]?.finalized).toBe(true);
  });

  it('recognizes one utterance after the other, also at the end', async () => {
    const { says, heard, task, run } = await setup(new MeasuringSTT());
    for (const count of [1, 2]) {
      await says('ada', 320);
      task.queueFrame(new VADUserStartedSpeakingFrame(200, 'ada'));
      await says('ada', ...seconds(count));
      task.queueFrame(new VADUserStoppedSpeakingFrame(200, 'ada'));
    }
    task.queueFrame(new EndFrame());
    await passes(250);
    expect(heard()).toEqual(['ada: 1520 ms', 'ada: 2520 ms']);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reports a request that hangs, and goes on with the next utterance', async () => {
    const answers = [new Promise<void>(() => {}), Promise.resolve()];
    const { says, heard, errors, task } = await setup(
      new MeasuringSTT({}, () => answers.shift() as Promise<void>),
    );
    for (const _ of answers.slice()) {
      await says('ada', 320);
      task.queueFrame(new VADUserStartedSpeakingFrame(200, 'ada'));
      await says('ada', ...seconds(1));
      task.queueFrame(new VADUserStoppedSpeakingFrame(200, 'ada'));
    }
    await passes(15_000);
    expect(errors()).toEqual(['connectivity']);
    expect(heard()).toHaveLength(1);
  });
});
