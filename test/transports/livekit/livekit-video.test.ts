import { beforeAll, expect, it, vi } from 'vitest';
import { UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { ErrorFrame } from '../../../src/frames/error-frame.ts';
import { OutputImageRawFrame, UserImageRawFrame, UserImageRequestFrame } from '../../../src/frames/images.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import type { TransportParams } from '../../../src/transports/transport-params.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { eventually, newTransport, sleep, startBot, tone } from './call.ts';
import { joinAsPeer, type Seen } from './peer.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const red: Seen = { width: 320, height: 240, rgb: [230, 20, 20] };
const blue: Seen = { width: 320, height: 240, rgb: [20, 20, 230] };

function picture(
  [r = 0, g = 0, b = 0]: readonly number[],
  { width = 320, height = 240, format = 'RGB' as string | undefined, destination = '' } = {},
): OutputImageRawFrame {
  const pixel = format === 'RGBA' ? [r, g, b, 255] : [r, g, b];
  const image = new Uint8Array(width * height * pixel.length).map((_, at) => pixel[at % pixel.length] ?? 0);
  const frame = new OutputImageRawFrame({ image, width, height, format });
  if (destination !== '') frame.transportDestination = destination;
  return frame;
}

/** A color after a codec: near. */
function near(rgb: readonly number[]) {
  return expect.toSatisfy((seen: readonly number[]) =>
    rgb.every((value, at) => Math.abs(value - (seen[at] ?? Number.NaN)) < 40),
  );
}

describe('LiveKitTransport, with pictures', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  async function setup(params: TransportParams) {
    const transport = newTransport(server, { params });
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    const images = () => bot.inside.framesOf(UserImageRawFrame);
    return { transport, ada, bot, images };
  }

  it('sees each participant, with their identity, the newest picture at the asked rate', async () => {
    const { transport, ada, images } = await setup({ videoInEnabled: true, videoInFramerate: 5 });
    const bob = await joinAsPeer(server, transport.roomName, 'bob');
    await ada.does({ does: 'show', ...red });
    await bob.does({ does: 'show', ...blue });
    const of = (userId: string) => images().filter((image) => image.userId === userId);
    await eventually(() => Math.min(of('ada').length, of('bob').length)).toBeGreaterThan(3);
    for (const [userId, { rgb }] of Object.entries({ ada: red, bob: blue })) {
      const last = of(userId).at(-1);
      expect(last).toMatchObject({ width: 320, height: 240, format: 'RGB' });
      expect(last?.image.length).toBe(320 * 240 * 3);
      expect([...(last?.image.subarray(0, 3) ?? [])]).toEqual(near(rgb));
    }
    const before = of('ada').length;
    const at = performance.now();
    await sleep(1_500);
    const perSecond = ((of('ada').length - before) * 1_000) / (performance.now() - at);
    expect(perSecond).toBeLessThan(6.5);
  });

  it('answers who asks for a picture of a participant', async () => {
    const { ada, bot, images } = await setup({ videoInEnabled: true });
    await ada.does({ does: 'show', ...red });
    await eventually(() => images().length).toBeGreaterThan(0);
    const request = new UserImageRequestFrame({
      userId: 'ada',
      text: 'what is this?',
      appendToContext: true,
    });
    bot.inside.push(request, 'upstream');
    await eventually(() => images().find((image) => image.request === request)).toBeDefined();
    const answer = images().find((image) => image.request === request);
    expect(answer).toMatchObject({ userId: 'ada', text: 'what is this?', appendToContext: true });
    const nobody = new UserImageRequestFrame({ userId: 'nobody' });
    bot.inside.push(nobody, 'upstream');
    bot.inside.push(request, 'upstream');
    await eventually(() => images().filter((image) => image.request === request).length).toBe(2);
    expect(images().some((image) => image.request === nobody)).toBe(false);
  });

  it('has no pictures sent to it when it does not look', async () => {
    const { ada, bot, transport, images } = await setup({ audioInEnabled: true });
    const kinds: string[] = [];
    transport.on('trackSubscribed', ({ kind }) => kinds.push(kind));
    await ada.does({ does: 'show', ...red });
    await ada.does({ does: 'speak', frequencyHz: 440 });
    await eventually(() => bot.inside.framesOf(UserAudioRawFrame).length).toBeGreaterThan(10);
    expect(kinds).toEqual(['audio']);
    expect(images()).toEqual([]);
  });

  it('reads a track no longer when it is gone, and the next one when it comes', async () => {
    const { ada, transport, images } = await setup({ videoInEnabled: true, videoInFramerate: 10 });
    await ada.does({ does: 'show', ...red });
    await eventually(() => images().length).toBeGreaterThan(0);
    const gone = new Promise((resolve) => transport.once('trackUnsubscribed', resolve));
    await ada.does({ does: 'stopShowing' });
    await gone;
    await ada.does({ does: 'show', ...blue });
    await eventually(() => [...(images().at(-1)?.image.subarray(0, 3) ?? [])]).toEqual(near(blue.rgb));
  });

  it('is seen, in any size and format, until the next picture', async () => {
    const { ada, bot } = await setup({ videoOutEnabled: true, videoOutWidth: 320, videoOutHeight: 240 });
    bot.says(picture(red.rgb));
    await ada.knows({ seen: { 'endframe-video': { width: 320, height: 240, rgb: near(red.rgb) } } });
    bot.says(picture(blue.rgb, { width: 160, height: 120, format: 'RGBA' }));
    await ada.knows({ seen: { 'endframe-video': { rgb: near(blue.rgb) } } });
    bot.says(new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.inside.framesOf(ErrorFrame)).toEqual([]);
  });

  it('shows nothing that is too short or of an unknown format, says so, and goes on', async () => {
    const { ada, bot } = await setup({ videoOutEnabled: true, videoOutWidth: 320, videoOutHeight: 240 });
    const errors = vi.fn();
    bot.task.on('error', errors);
    const image = new Uint8Array(100);
    bot.says(new OutputImageRawFrame({ image, width: 320, height: 240 }));
    await eventually(() => errors.mock.calls.length).toBeGreaterThan(0);
    bot.says(new OutputImageRawFrame({ image, width: 320, height: 240, format: 'JPEG' }));
    bot.says(picture(red.rgb));
    await ada.knows({ seen: { 'endframe-video': { rgb: near(red.rgb) } } });
  });

  it('has a track for each destination of sound and of pictures', async () => {
    const { ada, bot, transport } = await setup({
      audioOutEnabled: true,
      audioOutDestinations: ['interpreter'],
      videoOutEnabled: true,
      videoOutDestinations: ['slides'],
      videoOutWidth: 320,
      videoOutHeight: 240,
    });
    const names = async (): Promise<string[] | undefined> => {
      const participants = await listParticipants(server, transport.roomName);
      const me = participants.find(({ identity }) => identity === transport.identity);
      return me?.tracks.map(({ name }) => name).sort();
    };
    await eventually(names).toEqual(['endframe-audio', 'endframe-video', 'interpreter', 'slides']);
    const other = tone(20_000, { frequencyHz: 500 });
    for (const frame of other) frame.transportDestination = 'interpreter';
    bot.says(...tone(20_000, { frequencyHz: 1_000 }), ...other);
    bot.says(picture(red.rgb), picture(blue.rgb, { destination: 'slides' }));
    await ada.knows({
      heardHz: { 'endframe-audio': 1_000, interpreter: 500 },
      seen: { 'endframe-video': { rgb: near(red.rgb) }, slides: { rgb: near(blue.rgb) } },
    });
  });
});
