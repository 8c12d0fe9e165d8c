import { beforeAll, expect, it, vi } from 'vitest';
import { InputDTMFFrame, OutputDTMFFrame, OutputDTMFUrgentFrame } from '../../../src/frames/dtmf.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import {
  InputTransportMessageFrame,
  OutputTransportMessageFrame,
  OutputTransportMessageUrgentFrame,
} from '../../../src/frames/messages.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { describeWith } from '../../support/requirements.ts';
import { roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { call, eventually, newTransport, startBot, tone } from './call.ts';
import { joinAsPeer } from './peer.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const keypad = [...'0123456789*#'] as const;

describe('LiveKitTransport, with messages and keys', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  async function setup() {
    const transport = newTransport(server);
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    return { transport, ada, bot };
  }

  it('sends to everybody, or to one, as JSON, text or bytes', async () => {
    const { transport, ada, bot } = await setup();
    const bob = await joinAsPeer(server, transport.roomName, 'bob');
    await vi.waitFor(() => expect(transport.participants).toContain('bob'), 10_000);
    bot.says(new OutputTransportMessageFrame({ to: 'all' }));
    bot.says(new OutputTransportMessageFrame('to ada', 'ada'));
    transport.sendMessage(new TextEncoder().encode('to bob'), 'bob');
    bot.says(new OutputTransportMessageUrgentFrame('to all'));
    await ada.knows({ messages: expect.arrayContaining(['{"to":"all"}', 'to ada', 'to all']) });
    await bob.knows({ messages: expect.arrayContaining(['{"to":"all"}', 'to bob', 'to all']) });
    expect((await ada.tells()).messages).toHaveLength(3);
    expect((await bob.tells()).messages).toHaveLength(3);
  });

  it('sends a message in its turn behind the sound ahead of it, an urgent one at once', async () => {
    const { ada, bot } = await setup();
    bot.says(...tone(1_000), new OutputTransportMessageFrame('in turn'));
    bot.says(new OutputTransportMessageUrgentFrame('urgent'));
    await ada.knows({ messages: ['urgent', 'in turn'] });
  });

  it('passes JSON objects down and up the pipeline with their sender', async () => {
    const { transport, ada, bot } = await setup();
    const upstream: unknown[] = [];
    bot.transport.input().frames$.subscribe((frame) => {
      if (frame instanceof InputTransportMessageFrame) upstream.push(frame);
    });
    const data: string[] = [];
    transport.on('dataReceived', (event) => {
      data.push(`${event.identity}: ${new TextDecoder().decode(event.data)}`);
    });
    for (const text of ['not JSON', '7', '[1]', 'null', '{"a":1}']) await ada.does({ does: 'write', text });
    await eventually(() => bot.inside.framesOf(InputTransportMessageFrame)).toMatchObject([
      { message: { a: 1 }, participantId: 'ada' },
    ]);
    expect(upstream).toHaveLength(2);
    expect(data).toEqual(['ada: not JSON', 'ada: 7', 'ada: [1]', 'ada: null', 'ada: {"a":1}']);
  });

  it('hears what a server sends, which has no sender', async () => {
    const { transport, bot } = await setup();
    const bytes = new TextEncoder().encode('{"from":"server"}');
    await vi.waitFor(async () => {
      // 0: reliable; still lost where the bot's channel is not open yet
      await roomService(server).sendData(transport.roomName, bytes, 0, { topic: 'news' });
      const [first] = bot.inside.framesOf(InputTransportMessageFrame);
      expect(first).toMatchObject({ message: { from: 'server' }, participantId: undefined });
    }, 10_000);
  });

  it('keeps messages from before the join until the join, up to a hundred', async () => {
    const warn = vi.fn();
    const transport = newTransport(server, { logger: { ...silentLogger, warn } });
    for (let index = 0; index < 101; index += 1) transport.sendMessage(`${index}`);
    expect(warn).toHaveBeenCalledOnce();
    const ada = await joinAsPeer(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    transport.sendMessage('after the join');
    const inOrder = [...Array.from({ length: 100 }, (_, index) => `${index}`), 'after the join'];
    await ada.knows({ messages: inOrder });
    bot.says(new EndFrame());
    await bot.result;
    transport.sendMessage('too late');
    expect(await ada.tells()).toMatchObject({ messages: inOrder });
  });

  it('presses all keys of a telephone, in order, in their turn or at once', async () => {
    const { ada, bot } = await setup();
    bot.says(OutputDTMFFrame.fromString(keypad.join('')));
    await ada.knows({ keys: keypad });
    bot.says(OutputDTMFUrgentFrame.fromString('12'));
    await ada.knows({ keys: [...keypad, '1', '2'] });
  });

  it('leaves time between two keys, and says of a message that is too long how long it is', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(OutputDTMFFrame.fromString('123456'));
    const keys = (): { readonly at: number }[] => ada.events.filter(({ event }) => event === 'keyReceived');
    await eventually(keys).toHaveLength(6);
    // 500 when they were sent; they may be told closer to each other
    expect((keys().at(-1)?.at ?? 0) - (keys()[0]?.at ?? 0)).toBeGreaterThan(250);
    expect(() => transport.sendMessage('x'.repeat(64_000))).toThrow('at most 63000 bytes, got 64000');
    const longest = 'x'.repeat(63_000);
    transport.sendMessage(longest);
    await ada.waitFor('messageReceived', { where: ({ text }) => text === longest });
  });

  it('hears all keys of a telephone; of others it only tells', async () => {
    const { transport, ada, bot } = await setup();
    const told: string[] = [];
    transport.on('dtmfReceived', ({ digit, identity }) => told.push(`${identity}: ${digit}`));
    await ada.does({ does: 'press', code: 12, digit: 'A' });
    for (const [code, digit] of keypad.entries()) await ada.does({ does: 'press', code, digit });
    await eventually(() => bot.inside.framesOf(InputDTMFFrame).map(({ button }) => button)).toEqual(keypad);
    expect(told).toEqual(['A', ...keypad].map((digit) => `ada: ${digit}`));
  });
});
