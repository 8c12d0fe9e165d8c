/** What every transport does, as far as both sides of a call can notice. */

import { expect, it, onTestFinished } from 'vitest';
import { OutputAudioRawFrame, TTSAudioRawFrame, UserAudioRawFrame } from '../../src/frames/audio.ts';
import { InputDTMFFrame, OutputDTMFFrame, OutputDTMFUrgentFrame } from '../../src/frames/dtmf.ts';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import {
  InputTransportMessageFrame,
  OutputTransportMessageFrame,
  OutputTransportMessageUrgentFrame,
} from '../../src/frames/messages.ts';
import {
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  type ParticipantKind,
} from '../../src/frames/participants.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  TTSStoppedFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { HeardAudio, type HeardAudioReport } from '../../src/testing/heard-audio.ts';
import type { MemoryTransportEvents } from '../../src/testing/memory-transport.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';
import type { AudioMixer } from '../../src/transports/audio-mixer.ts';
import type { BaseTransport } from '../../src/transports/base-transport.ts';
import type { TransportParams } from '../../src/transports/transport-params.ts';
import { eventually } from '../support/fake-time.ts';
import { promised } from '../support/promised.ts';

/** One room, the bot's transport in it, and a way to have others come. */
export interface TransportCall {
  readonly transport: BaseTransport;
  /** Somebody is in the room from now on. */
  joins(identity: string, kind?: ParticipantKind): Promise<OtherSide>;
  /** Whether the others see the bot in the room. */
  botIsThere(): Promise<boolean>;
  /** Expects that a run that has ended left nothing behind. */
  expectOver(): Promise<void>;
}

/** Somebody who talks with the bot. */
export interface OtherSide {
  /** Resolves when it was said. */
  speaks(frequencyHz: number, durationMs: number): Promise<void>;
  sends(message: object): Promise<void>;
  presses(keys: string): Promise<void>;
  leaves(): Promise<void>;
  /** What was heard of the bot so far. */
  heard(): Promise<HeardAudioReport>;
  /** What the bot has sent so far, as text, and the keys it has pressed. */
  readonly messages: readonly string[];
  readonly keys: readonly string[];
  /** Resolves when the bot has left, or everybody was thrown out. */
  readonly isAlone: Promise<unknown>;
}

interface Run {
  readonly task: PipelineTask;
  /** Between input and output. */
  readonly inside: FrameRecorder;
  /** Behind the output. */
  readonly behind: FrameRecorder;
  readonly result: Promise<PipelineResult>;
  says(...frames: readonly Frame[]): void;
  /** Resolves when the interruption has come out of the pipeline. */
  interrupts(): Promise<void>;
}

const rateHz = 24_000;
const bothWays: TransportParams = { audioInEnabled: true, audioOutEnabled: true };

/** @param newCall Makes a room that nobody is in; called in each test. */
export function transportContract(newCall: (params: TransportParams) => Promise<TransportCall>): void {
  it('passes the StartFrame on when the bot is there, and is heard from the first word to the last', async () => {
    const { call, ada, run } = await talk(newCall);
    expect(await call.botIsThere()).toBe(true);
    run.says(...tone(400, 500), ...silence(200), ...tone(600, 1_000), new TTSStoppedFrame(), new EndFrame());
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.isAlone;
    const words = (await ada.heard()).spans.filter(({ durationMs }) => durationMs >= 50);
    const isHigh = ({ frequencyHz }: { readonly frequencyHz: number }) => frequencyHz > 750;
    expectNear(sum(words.filter((word) => !isHigh(word))), 400, 80);
    expectPitch(words[0]?.frequencyHz, 500);
    expectNear(sum(words.filter(isHigh)), 600, 80);
    expectPitch(words.at(-1)?.frequencyHz, 1_000);
    expect(playedMs(run.behind.frames)).toBe(1_200);
    await call.expectOver();
  });

  it('is heard from the first word by each of several listeners, also by one who comes later', async () => {
    const call = await newCall(bothWays);
    const others = await Promise.all(['ada', 'bob', 'eve'].map((identity) => call.joins(identity)));
    const run = await start(call);
    run.says(...tone(1_000, 500), new TTSStoppedFrame());
    await eventually(() => expect(run.behind.framesOf(TTSStoppedFrame)).toHaveLength(1));
    const late = await call.joins('late');
    await eventually(() => expect(run.inside.framesOf(ParticipantJoinedFrame)).toHaveLength(4));
    run.says(...tone(1_000, 500), new EndFrame());
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await Promise.all([...others, late].map((one) => one.isAlone));
    const heardMs = await Promise.all([...others, late].map(async (one) => (await one.heard()).heardMs));
    for (const ms of heardMs.slice(0, 3)) expect(ms).toBeGreaterThan(1_880);
    expect(heardMs[3]).toBeGreaterThan(920);
  });

  it('forgets what waits at an interruption, and plays what comes then', async () => {
    const { ada, run } = await talk(newCall);
    run.says(...tone(5_000, 500), new TextFrame('never'));
    await hears(ada, 200);
    await run.interrupts();
    run.says(...silence(200), ...tone(400, 1_500), new TTSStoppedFrame(), new EndFrame());
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.isAlone;
    const report = await ada.heard();
    expect(report.heardMs).toBeLessThan(promised(2_500, 4_500));
    const isNew = ({ frequencyHz }: { readonly frequencyHz: number }) => frequencyHz > 1_000;
    expectNear(sum(report.spans.filter(isNew)), 400, 80);
    expectPitch(report.spans.at(-1)?.frequencyHz, 1_500);
    expect(run.behind.framesOf(TextFrame)).toEqual([]);
  });

  it('tells when the bot speaks, and plays the rest of a speech when it is over', async () => {
    const { run } = await talk(newCall);
    run.says(...tone(100, 500), new TTSStoppedFrame());
    await eventually(() => expect(run.behind.framesOf(TTSStoppedFrame)).toHaveLength(1));
    expect(playedMs(run.behind.frames)).toBe(120);
    for (const recorder of [run.inside, run.behind]) {
      expect(recorder.framesOf(BotStartedSpeakingFrame)).toHaveLength(1);
      expect(recorder.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
    }
    const last = namesOf(run.behind).slice(-3);
    expect(last).toEqual(['TTSAudioRawFrame', 'BotStoppedSpeakingFrame', 'TTSStoppedFrame']);
  });

  it('plays a sound to its end when nothing follows', async () => {
    const { run } = await talk(newCall);
    run.says(...tone(100, 500));
    await eventually(() => expect(playedMs(run.behind.frames)).toBe(120));
  });

  it('plays out before it ends, whatever comes in between', async () => {
    const { call, ada, run } = await talk(newCall);
    run.says(...tone(2_400, 500), new EndFrame());
    await hears(ada, 100);
    await run.interrupts();
    await ada.presses('1');
    await run.interrupts();
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.isAlone;
    expectNear((await ada.heard()).heardMs, 2_400, 100);
    await call.expectOver();
  });

  it('stops in the middle of a word when it is cancelled', async () => {
    const { call, ada, run } = await talk(newCall);
    run.says(...tone(8_000, 500));
    await hears(ada, 200);
    run.task.cancel();
    expect(await run.result).toMatchObject({ reason: 'cancelled', forced: false });
    await ada.isAlone;
    expect((await ada.heard()).heardMs).toBeLessThan(promised(4_000, 7_000));
    await call.expectOver();
  });

  it('sends messages and keys in their turn, urgent ones at once', async () => {
    const { ada, run } = await talk(newCall);
    run.says(
      ...tone(800, 500),
      new OutputTransportMessageFrame({ order: 'in turn' }),
      OutputDTMFFrame.fromString('12*#'),
      new OutputTransportMessageUrgentFrame({ order: 'at once' }),
      OutputDTMFUrgentFrame.fromString('90'),
    );
    // the order is what tells: the urgent ones were asked for last
    await eventually(() => expect(ada.keys.join('')).toBe('9012*#'));
    expect(ada.messages).toEqual(['{"order":"at once"}', '{"order":"in turn"}']);
    // a frame goes on when it was sent, which is when it may have arrived already; behind the sound
    const last = ['OutputTransportMessageFrame', 'OutputDTMFFrame'];
    await eventually(() => expect(namesOf(run.behind).slice(-2)).toEqual(last));
  });

  it('brings what participants say apart, with their identity and at the asked rate, and what they send', async () => {
    const call = await newCall({ audioInEnabled: true, audioInSampleRate: 8_000 });
    const [ada, bob] = await Promise.all([call.joins('ada'), call.joins('bob')]);
    const run = await start(call);
    await Promise.all([ada.speaks(400, 800), bob.speaks(1_000, 800)]);
    await ada.sends({ answer: 42 });
    await bob.presses('1*');
    await eventually(() =>
      expect(run.inside.framesOf(InputDTMFFrame)).toMatchObject([
        { button: '1', userId: 'bob' },
        { button: '*', userId: 'bob' },
      ]),
    );
    await eventually(() =>
      expect(run.inside.framesOf(InputTransportMessageFrame)).toMatchObject([
        { message: { answer: 42 }, participantId: 'ada' },
      ]),
    );
    for (const [userId, frequencyHz] of [
      ['ada', 400],
      ['bob', 1_000],
    ] as const) {
      await eventually(() => expect(heardOf(run, userId).heardMs).toBeGreaterThan(promised(600, 300)));
      expectPitch(heardOf(run, userId).frequencyHz, frequencyHz);
    }
  });

  it('brings no sound when audio in is off', async () => {
    const { ada, run } = await talk(newCall, { params: { audioOutEnabled: true } });
    await ada.speaks(400, 300);
    await ada.sends({ spoken: true });
    await eventually(() => expect(run.inside.framesOf(InputTransportMessageFrame)).toHaveLength(1));
    expect(run.inside.framesOf(UserAudioRawFrame)).toEqual([]);
  });

  it('tells who is there, who comes and who goes, as frames and as events', async () => {
    const events: string[] = [];
    const { call, run } = await talk(newCall, {
      prepare: ({ transport }) => {
        const emitter = transport as unknown as BaseTransport<MemoryTransportEvents>;
        emitter.on('connected', () => void events.push('connected'));
        emitter.on('participantJoined', ({ identity }) => void events.push(`${identity} joined`));
        emitter.on('participantLeft', ({ identity }) => void events.push(`${identity} left`));
        emitter.on('left', () => void events.push('left'));
      },
    });
    const bob = await call.joins('bob');
    // of somebody who says nothing a media server may tell late
    await bob.speaks(400, 100);
    await bob.leaves();
    await eventually(() => expect(events).toHaveLength(4));
    run.says(new EndFrame());
    await run.result;
    expect(events).toEqual(['connected', 'ada joined', 'bob joined', 'bob left', 'left']);
    const frames = namesOf(run.inside);
    expect(frames.filter((name) => name !== 'UserAudioRawFrame')).toEqual([
      'StartFrame',
      'BotConnectedFrame',
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
      'ParticipantJoinedFrame',
      'ParticipantLeftFrame',
      'EndFrame',
    ]);
  });

  it.each([false, true])('stops talking when the last listener has left; ending: %s', async (isEnding) => {
    const { call, ada, run } = await talk(newCall);
    await call.joins('recorder', 'egress');
    // of somebody who has said nothing a media server may tell late
    await ada.speaks(400, 100);
    run.says(...tone(12_000, 500), ...(isEnding ? [new EndFrame()] : []));
    await hears(ada, 200);
    await ada.leaves();
    await eventually(() => expect(run.behind.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1));
    if (!isEnding) {
      expect(run.task.hasFinished).toBe(false);
      run.says(new EndFrame());
    }
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    expect(playedMs(run.behind.frames)).toBeLessThan(10_000);
    await call.expectOver();
  });

  it('tells people from machines, and begins the conversation with a person', async () => {
    const call = await newCall(bothWays);
    await call.joins('recorder', 'egress');
    await call.joins('avatar', 'agent');
    const run = await start(call);
    expect(run.inside.framesOf(ParticipantJoinedFrame)).toHaveLength(2);
    expect(run.inside.framesOf(ClientConnectedFrame)).toEqual([]);
    const ada = await call.joins('ada', 'sip');
    await ada.speaks(400, 100);
    await eventually(() => expect(run.inside.framesOf(ClientConnectedFrame)).toHaveLength(1));
    const kinds = run.inside.framesOf(ParticipantJoinedFrame).map((frame) => frame.participantKind);
    expect(kinds.slice(0, 2).sort()).toEqual(['agent', 'egress']);
    expect(kinds[2]).toBe('sip');
  });

  it('stays after a StopFrame, plays and hears in every next run, and ends with the last', async () => {
    const { call, ada, run: first } = await talk(newCall);
    let run = first;
    for (const { last, rate } of [
      { last: false, rate: 16_000 },
      { last: false, rate: 24_000 },
      { last: true, rate: 16_000 },
    ]) {
      run.says(...tone(300, 500));
      await ada.speaks(400, 200);
      await eventually(() => expect(run.inside.framesOf(UserAudioRawFrame).length).toBeGreaterThan(3));
      expect(run.behind.framesOf(ErrorFrame)).toEqual([]);
      run.says(last ? new EndFrame() : new StopFrame());
      expect(await run.result).toMatchObject({ reason: last ? 'ended' : 'stopped', forced: false });
      expect(await call.botIsThere()).toBe(!last);
      if (!last) run = await start(call, { audioInSampleRate: rate, audioOutSampleRate: rate });
    }
    await ada.isAlone;
    // each of the three may end in up to 100 ms that the receiver makes up
    const { heardMs } = await ada.heard();
    expect(heardMs).toBeGreaterThan(promised(700, 600));
    expect(heardMs).toBeLessThan(promised(1_200, 4_000));
    await call.expectOver();
  });

  it('plays on a destination of its own, which an interruption and an EndFrame reach as well', async () => {
    const { call, ada, run } = await talk(newCall, {
      params: { ...bothWays, audioOutDestinations: ['aside'] },
    });
    run.says(...tone(5_000, 500).map(aside), ...[new TextFrame('never')].map(aside));
    await hears(ada, 200);
    await run.interrupts();
    run.says(...[...silence(200), ...tone(600, 1_500), new TTSStoppedFrame()].map(aside), new EndFrame());
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.isAlone;
    const { heardMs } = await ada.heard();
    expect(heardMs).toBeGreaterThan(promised(720, 500));
    expect(heardMs).toBeLessThan(promised(2_900, 4_500));
    const frames = run.behind.frames.slice(namesOf(run.behind).indexOf('InterruptionFrame'));
    expect(playedMs(frames)).toBe(800);
    expect(frames.filter((frame) => frame instanceof OutputAudioRawFrame).every(isAside)).toBe(true);
    expect(run.behind.framesOf(TextFrame)).toEqual([]);
    await call.expectOver();
  });

  it('lets a mixer be heard while the bot is silent, and ends all the same', async () => {
    const { call, ada, run } = await talk(newCall, { params: { ...bothWays, audioOutMixer: new Hum() } });
    await hears(ada, 600);
    run.says(new EndFrame());
    expect(await run.result).toMatchObject({ reason: 'ended', forced: false });
    await ada.isAlone;
    expectPitch((await ada.heard()).frequencyHz, 500);
    expect(run.behind.framesOf(OutputAudioRawFrame)).toEqual([]);
    expect(run.behind.framesOf(BotStartedSpeakingFrame)).toEqual([]);
    await call.expectOver();
  });
}

interface TalkOptions {
  readonly params?: TransportParams;
  /** Before anybody joins. */
  readonly prepare?: (call: TransportCall) => void;
}

/** A run that has started in a room where ada waits. */
async function talk(
  newCall: (params: TransportParams) => Promise<TransportCall>,
  { params = bothWays, prepare = () => {} }: TalkOptions = {},
): Promise<{ call: TransportCall; ada: OtherSide; run: Run }> {
  const call = await newCall(params);
  prepare(call);
  const ada = await call.joins('ada');
  return { call, ada, run: await start(call) };
}

async function start({ transport }: TransportCall, options: PipelineTaskOptions = {}): Promise<Run> {
  const inside = new FrameRecorder();
  const behind = new FrameRecorder({ direction: 'downstream' });
  const pipeline = new Pipeline([transport.input(), inside, transport.output(), behind]);
  const task = new PipelineTask(pipeline, { logger: silentLogger, ...options });
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  const result = task.run();
  onTestFinished(async () => {
    task.cancel();
    await result;
  });
  await started;
  return {
    task,
    inside,
    behind,
    result,
    says: (...frames) => task.queueFrames(frames),
    interrupts: async () => {
      const before = behind.framesOf(InterruptionFrame).length;
      task.queueFrame(new InterruptionTaskFrame(), 'upstream');
      await eventually(() => expect(behind.framesOf(InterruptionFrame)).toHaveLength(before + 1));
    },
  };
}

/** In pieces of 20 ms, as speech synthesis delivers it. */
function tone(durationMs: number, frequencyHz: number): TTSAudioRawFrame[] {
  const length = rateHz / 50;
  const step = (2 * Math.PI * frequencyHz) / rateHz;
  return Array.from({ length: durationMs / 20 }, (_, piece) => {
    const audio = Int16Array.from({ length }, (_, index) =>
      Math.round(12_000 * Math.sin(step * (piece * length + index))),
    );
    return new TTSAudioRawFrame({ audio, sampleRate: rateHz, numChannels: 1 });
  });
}

function silence(durationMs: number): TTSAudioRawFrame[] {
  return tone(durationMs, 0);
}

function aside(frame: Frame): Frame {
  frame.transportDestination = 'aside';
  return frame;
}

function isAside({ transportDestination }: Frame): boolean {
  return transportDestination === 'aside';
}

/** Adds a tone of 500 Hz. */
class Hum implements AudioMixer {
  #step = 0;
  #at = 0;

  start(sampleRate: number): void {
    this.#step = (2 * Math.PI * 500) / sampleRate;
  }

  stop(): void {}

  processFrame(): void {}

  mix(audio: Int16Array): Int16Array {
    return audio.map((sample) => sample + 8_000 * Math.sin(this.#step * this.#at++));
  }
}

async function hears(other: OtherSide, ms: number): Promise<void> {
  await eventually(async () => expect((await other.heard()).heardMs).toBeGreaterThanOrEqual(ms), {
    intervalMs: 40,
  });
}

function heardOf({ inside }: Run, userId: string): HeardAudioReport {
  const frames = inside.framesOf(UserAudioRawFrame).filter((frame) => frame.userId === userId);
  expect(new Set(frames.map((frame) => frame.sampleRate))).toEqual(new Set([8_000]));
  const heard = new HeardAudio();
  for (const { audio, sampleRate } of frames) heard.add(audio, sampleRate, 0);
  return heard.report();
}

function namesOf({ frames }: FrameRecorder): string[] {
  return frames.map((frame) => frame.constructor.name);
}

function playedMs(frames: readonly Frame[]): number {
  return sum(frames.filter((frame) => frame instanceof OutputAudioRawFrame));
}

function sum(spans: readonly { readonly durationMs: number }[]): number {
  return spans.reduce((total, { durationMs }) => total + durationMs, 0);
}

/** Of milliseconds that were heard. */
function expectNear(actual: number, expected: number, by: number): void {
  expect(actual).toBeGreaterThan(expected - promised(by, expected * 0.3));
  expect(actual).toBeLessThan(expected + promised(by, expected * 2));
}

/** A sound of this frequency, and of none of the others. */
function expectPitch(actual: number | undefined, expected: number): void {
  expect(actual).toBeGreaterThan(expected * promised(0.92, 0.8));
  expect(actual).toBeLessThan(expected * promised(1.08, 1.2));
}
