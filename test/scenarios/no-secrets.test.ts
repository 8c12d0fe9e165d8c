/** Whole runs at debug level, and everything that can be printed of them: no secret and no token in it. */

import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { beforeAll, expect, it } from 'vitest';
import { RoomCleanupProcessor } from '../../src/cleanup/room-cleanup-processor.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { LogObserver } from '../../src/observers/log-observer.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { spawnCaller } from '../support/caller.ts';
import { describeWith } from '../support/requirements.ts';
import { roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { Bot, type BotOptions } from '../support/talking-bot.ts';
import { joinToken, type Keys } from '../support/tokens.ts';
import { tone } from '../support/tone.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const wrongSecret = 'a-secret-that-is-wrong-but-secret-all-the-same';

/** Keeps what is logged at any level, and whatever else could be printed, in every way to print it. */
class Printed {
  readonly #texts: string[] = [];
  readonly #log: Logger['error'] = (...line) => this.add(...line);
  readonly logger: Logger = { debug: this.#log, info: this.#log, warn: this.#log, error: this.#log };

  add(...values: readonly unknown[]): void {
    for (const value of values) {
      this.#texts.push(String(value), asJson(value));
      this.#texts.push(inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }));
    }
  }

  expectNoSecrets(...secrets: readonly string[]): void {
    for (const text of this.#texts) {
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/eyJ[\w-]{10}/);
    }
  }

  expectToContain(text: string): void {
    expect(this.#texts.some((one) => one.includes(text))).toBe(true);
  }
}

/** As loggers do it: errors with all they carry. */
function asJson(value: unknown): string {
  const seen = new WeakSet<object>();
  return (
    JSON.stringify(value, (_, part) => {
      if (typeof part === 'bigint') return String(part);
      if (typeof part !== 'object' || part === null) return part;
      if (seen.has(part)) return '(again)';
      seen.add(part);
      return part instanceof Error ? { ...part, text: part.stack, cause: part.cause } : part;
    }) ?? ''
  );
}

describe('nothing that is printed shows a secret or a token', () => {
  let server: LiveKitServer;
  let rooms = 0;

  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  const newRoomName = (): string => `secrets-${process.pid}-${rooms++}`;
  const helperFor = (apiSecret: string): LiveKitRESTHelper =>
    new LiveKitRESTHelper({ apiUrl: server.httpUrl, apiKey: server.apiKey, apiSecret });

  it('of a call that ends', async () => {
    const printed = new Printed();
    const { logger } = printed;
    const { url, apiKey, apiSecret } = server;
    const roomName = newRoomName();
    const helper = helperFor(apiSecret);
    const transport = new LiveKitTransport({
      url,
      apiKey,
      apiSecret,
      roomName,
      params: { audioInEnabled: true, audioOutEnabled: true },
      deleteRoomOnEnd: { rest: helper, guardian: false },
      logger,
    });
    const deleter = new RoomDeleter({ roomName, rest: helper, logger });
    const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), {
      logger,
      observers: [new LogObserver({ logger })],
    });
    const runner = new PipelineRunner({ logger, handleProcessEvents: false });
    const all = [helper, transport, transport.input(), transport.output(), deleter, task, runner];
    printed.add(...all);
    task.lifecycle$.subscribe((event) => printed.add(event));
    transport.outcome$.subscribe((outcome) => printed.add(outcome));
    const started = new Promise<void>((resolve) => task.once('started', resolve));
    const run = runner.run(task);
    await started;
    await using caller = spawnCaller({ url, token: await joinToken(server, roomName, 'ada') });
    await caller.waitFor('trackSubscribed', { timeoutMs: 90_000 });
    printed.add(...all);
    task.queueFrames([tone(440, 200), new EndFrame()]);
    printed.add(...(await run), ...all, await deleter.deleteRoom('manual'));
    expect(await caller.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    printed.expectToContain('the room is gone');
    printed.expectNoSecrets(apiSecret);
  });

  it('of a deletion with a wrong secret, although the answer repeats the token', async () => {
    const printed = new Printed();
    const roomName = newRoomName();
    const helper = helperFor(wrongSecret);
    const token = await helper.createAccessToken();
    const answer = await fetch(`${server.httpUrl}/twirp/livekit.RoomService/DeleteRoom`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room: roomName }),
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain(token);

    const calls = [
      helper.deleteRoomByName(roomName),
      helper.warmUp(),
      helper.listRooms([roomName]),
      helper.createRoom(roomName),
      helper.listParticipants(roomName),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'auth', status: 401 } });
      printed.add(result);
    }
    const { logger } = printed;
    const cleanup = new RoomCleanupProcessor({ roomName, rest: helper, guardian: false, logger });
    const task = new PipelineTask(new Pipeline([cleanup]), { logger });
    task.queueFrame(new EndFrame());
    printed.add(await task.run(), await firstValueFrom(cleanup.outcome$), helper, cleanup, task);
    expect(task.exitCode).toBe(3);
    printed.expectToContain('[redacted]');
    printed.expectNoSecrets(wrongSecret, server.apiSecret, token);
  });

  it('of a transport with a wrong secret, which cannot join', async () => {
    const printed = new Printed();
    const { logger } = printed;
    const { url, apiKey } = server;
    const transport = new LiveKitTransport({
      url,
      apiKey,
      apiSecret: wrongSecret,
      roomName: newRoomName(),
      params: { audioOutEnabled: true },
      deleteRoomOnEnd: { guardian: false },
      logger,
    });
    const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), { logger });
    task.on('error', (error) => printed.add(error));
    const result = await task.run();
    expect(result.reason).toBe('failed');
    printed.add(result, transport, task, await firstValueFrom(transport.outcome$));
    printed.expectToContain('could not be joined');
    printed.expectNoSecrets(wrongSecret, server.apiSecret);
  });

  it('of a token that is refused before anything is sent', async () => {
    const printed = new Printed();
    const { url, apiKey, apiSecret } = server;
    const token = await joinToken(server, 'one-room', 'bot');
    for (const options of [
      { token, roomName: 'another-room' },
      { token: token.slice(0, -60).replaceAll('.', '!') },
      { token, identity: 'somebody-else' },
    ]) {
      const create = (): unknown => new LiveKitTransport({ url, apiKey, apiSecret, ...options });
      expect(create).toThrow(expect.objectContaining({ name: 'InvalidOptionError' }));
      try {
        create();
      } catch (error) {
        printed.add(error);
      }
    }
    printed.expectNoSecrets(apiSecret, token);
  });

  async function outputOf(keys: Keys, options: Partial<BotOptions>, live: (bot: Bot) => Promise<void>) {
    const roomName = newRoomName();
    await roomService(server).createRoom({ name: roomName });
    await using bot = new Bot({ ...keys, url: server.url }, { roomName, identity: 'bot', ...options });
    await live(bot);
    const { code } = await bot.exited;
    return { code, output: bot.output };
  }

  it.each(['cancels', 'throws'] as const)('of the process of a bot that %s', async (what) => {
    const { code, output } = await outputOf(
      server,
      { guardian: true, whenAsked: { does: 'throw' } },
      async (bot) => {
        await bot.has('started');
        bot.signal(what === 'throws' ? 'SIGUSR2' : 'SIGTERM');
      },
    );
    expect(code).toBe(what === 'throws' ? 1 : 0);
    expect(output).toContain('the room is gone');
    expect(output).not.toContain(server.apiSecret);
    expect(output).not.toMatch(/eyJ[\w-]{10}/);
  });

  it('of the process of a bot with a wrong secret', async () => {
    const keys = { apiKey: server.apiKey, apiSecret: wrongSecret };
    const { code, output } = await outputOf(keys, { guardian: true }, async (bot) => {
      await bot.has('settled');
    });
    expect(code).toBe(3);
    expect(output).toContain('could not be joined');
    expect(output).not.toContain(wrongSecret);
    expect(output).not.toMatch(/eyJ[\w-]{10}/);
  });
});
