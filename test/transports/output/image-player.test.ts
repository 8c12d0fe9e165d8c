import { describe, expect, it } from 'vitest';
import type { ErrorFrame } from '../../../src/frames/error-frame.ts';
import { OutputImageRawFrame, SpriteFrame } from '../../../src/frames/images.ts';
import { InterruptionTaskFrame } from '../../../src/frames/interruption.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { MemoryTransport } from '../../../src/testing/memory-transport.ts';
import type { TransportParams } from '../../../src/transports/transport-params.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';
import { Clings, namesOf, ramp, sound, startCall, type TestCall } from '../call-setup.ts';

const still: TransportParams = { audioOutEnabled: true, videoOutEnabled: true, videoOutFramerate: 10 };
const live: TransportParams = { ...still, videoOutIsLive: true };

/** A picture of one byte, to be told apart by. */
function picture(byte: number): OutputImageRawFrame {
  return new OutputImageRawFrame({ image: Uint8Array.of(byte), width: 1, height: 1, format: 'GRAY' });
}

function inTurn(byte: number): OutputImageRawFrame {
  return Object.assign(picture(byte), { syncWithAudio: true });
}

const seen = ({ transport }: TestCall): (number | undefined)[] =>
  transport.shown.map(({ image }) => image[0]);

describe('video out, still', () => {
  useFakeTime();

  it('shows a picture at once, and again at the framerate, until the next one comes', async () => {
    const bot = await startCall({ params: still });
    bot.says(picture(1));
    await passes(0);
    expect(seen(bot)).toEqual([1]);
    await passes(250);
    expect(seen(bot)).toEqual([1, 1, 1]);
    bot.says(picture(2));
    await passes(0);
    expect(seen(bot)).toEqual([1, 1, 1, 2]);
    await passes(100);
    expect(seen(bot).slice(3)).toEqual([2, 2]);
  });

  it('passes each picture on once', async () => {
    const bot = await startCall({ params: still });
    bot.says(picture(1), picture(2));
    await passes(1_000);
    expect(bot.behind.framesOf(OutputImageRawFrame).map(({ image }) => image[0])).toEqual([1, 2]);
  });

  it('shows the pictures of a sprite one after the other, over and over', async () => {
    const bot = await startCall({ params: still });
    bot.says(new SpriteFrame([picture(1), picture(2), picture(3)]));
    await passes(500);
    expect(seen(bot)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('keeps the picture when the bot is interrupted', async () => {
    const bot = await startCall({ params: still });
    bot.says(picture(1));
    await passes(50);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(100);
    expect(seen(bot)).toEqual([1, 1]);
  });

  it('waits for the sound ahead of a picture that is to', async () => {
    const bot = await startCall({ params: still });
    bot.says(sound(80), inTurn(1), sound(80), inTurn(2), picture(9));
    await passes(79);
    expect(new Set(seen(bot))).toEqual(new Set([9]));
    await passes(1);
    expect(seen(bot).at(-1)).toBe(1);
    await passes(80);
    expect(seen(bot).at(-1)).toBe(2);
    expect(namesOf(bot.behind.frames)).toEqual([
      'OutputImageRawFrame',
      'OutputAudioRawFrame',
      'OutputAudioRawFrame',
      'OutputImageRawFrame',
      'OutputAudioRawFrame',
      'OutputAudioRawFrame',
      'OutputImageRawFrame',
    ]);
  });

  it('forgets a picture in turn that was interrupted', async () => {
    const bot = await startCall({ params: still });
    bot.says(sound(400), inTurn(1));
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(1_000);
    expect(seen(bot)).toEqual([]);
  });

  it('keeps no EndFrame waiting, and shows nothing behind it', async () => {
    const bot = await startCall({ params: still });
    bot.says(picture(1), sound(400), new EndFrame());
    await passes(400);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    const count = bot.transport.shown.length;
    expect(count).toBeGreaterThanOrEqual(4);
    await passes(1_000);
    expect(bot.transport.shown).toHaveLength(count);
  });

  it('is no progress: an EndFrame that is stuck elsewhere is forced all the same', async () => {
    const bot = await startCall({ params: still }, { endStallTimeoutMs: 300, between: [new Clings()] });
    bot.says(picture(1), new EndFrame());
    await passes(1_000);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: true });
  });
});

describe('video out, live', () => {
  useFakeTime();

  it('shows every picture once, at the framerate', async () => {
    const bot = await startCall({ params: live });
    bot.says(...[1, 2, 3, 4].map(picture));
    await passes(0);
    expect(seen(bot)).toEqual([1]);
    await passes(200);
    expect(seen(bot)).toEqual([1, 2, 3]);
    await passes(1_000);
    expect(seen(bot)).toEqual([1, 2, 3, 4]);
    expect(bot.behind.framesOf(OutputImageRawFrame)).toHaveLength(4);
  });

  it('does not make up for a long pause', async () => {
    const bot = await startCall({ params: live });
    bot.says(picture(1));
    await passes(5_000);
    bot.says(...[2, 3, 4].map(picture));
    await passes(150);
    expect(seen(bot)).toEqual([1, 2, 3]);
  });

  it('forgets the rest when the bot is interrupted, and shows what comes then', async () => {
    const bot = await startCall({ params: live });
    const kept = Object.assign(picture(7), { uninterruptible: true });
    bot.says(...[1, 2, 3].map(picture), kept);
    await passes(0);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(0);
    bot.says(picture(8));
    await passes(1_000);
    expect(seen(bot)).toEqual([1, 7, 8]);
  });

  it('plays a film to its end before an EndFrame, whatever interrupts and however long it is', async () => {
    const bot = await startCall({ params: live }, { endStallTimeoutMs: 200 });
    bot.says(...[1, 2, 3, 4, 5].map(picture), new EndFrame());
    await passes(150);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(250);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(seen(bot)).toEqual([1, 2, 3, 4, 5]);
  });

  it('stops at once after a CancelFrame', async () => {
    const bot = await startCall({ params: live });
    bot.says(...[1, 2, 3].map(picture));
    await passes(50);
    bot.task.cancel();
    await passes(1_000);
    expect(await bot.result).toMatchObject({ reason: 'cancelled', forced: false });
    expect(seen(bot)).toEqual([1]);
  });
});

describe('video out', () => {
  useFakeTime();

  it('has destinations of its own', async () => {
    const bot = await startCall({ params: { ...live, videoOutDestinations: ['screen'] } });
    const onScreen = Object.assign(picture(2), { transportDestination: 'screen' });
    bot.says(picture(1), onScreen);
    await passes(0);
    expect(
      bot.transport.shown.map(({ image, transportDestination }) => [image[0], transportDestination]),
    ).toEqual([
      [1, undefined],
      [2, 'screen'],
    ]);
  });

  it('that is off drops pictures, and nothing else', async () => {
    const bot = await startCall();
    bot.says(picture(1), inTurn(2), new SpriteFrame([picture(3)]), sound(40));
    await passes(100);
    expect(seen(bot)).toEqual([]);
    expect(namesOf(bot.behind.frames)).toEqual(['OutputAudioRawFrame']);
  });

  it('reports a row of failing writes once, and goes on', async () => {
    const bot = await startCall({ params: live });
    const errors: string[] = [];
    bot.task.on('error', (frame) => void errors.push((frame as ErrorFrame).error));
    const output = bot.transport.output() as unknown as { writeVideoFrame: () => Promise<boolean> };
    const { writeVideoFrame } = output;
    output.writeVideoFrame = () => Promise.reject(new Error('no screen'));
    bot.says(picture(1), picture(2));
    await passes(200);
    output.writeVideoFrame = writeVideoFrame;
    bot.says(picture(3));
    await passes(100);
    expect(errors).toEqual(['no screen']);
    expect(seen(bot)).toEqual([3]);
    expect(bot.behind.framesOf(OutputImageRawFrame).map(({ image }) => image[0])).toEqual([3]);
  });

  it('without a picture sets no timer', async () => {
    const transport = new MemoryTransport({ params: still });
    const bot = await startCall({}, { transport });
    bot.says(sound(40));
    await passes(100);
    expect(transport.shown).toEqual([]);
    expect(transport.played.flatMap(({ audio }) => [...audio])).toEqual([...ramp(40)]);
  });
});
