/** The two calls of `endframe demo`, with or without media. */

import { styleText } from 'node:util';
import { RoomCleanupProcessor } from '../cleanup/room-cleanup-processor.ts';
import { OutputAudioRawFrame } from '../frames/audio.ts';
import { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import { TextFrame } from '../frames/text.ts';
import { MissingDependencyError } from '../lib/errors.ts';
import { silentLogger, writeOrDrop } from '../lib/logger.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { PipelineRunner } from '../pipeline/pipeline-runner.ts';
import { PipelineTask } from '../pipeline/pipeline-task.ts';
import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import { type Caller, spawnCaller } from '../testing/caller.ts';
import { FakeLiveKitServer } from '../testing/fake-livekit-server.ts';
import { type LiveKitServer, startLiveKitServer } from '../testing/start-livekit-server.ts';
import { LiveKitTransport } from '../transports/livekit/livekit-transport.ts';
import { rtcNode } from '../transports/livekit/rtc-node.ts';
import { createParticipantToken } from '../transports/livekit/tokens.ts';

const sampleRate = 24_000;
const sentenceMs = 2_000;
const monologueMs = 10_000;
const cutAfterMs = 1_200;

/**
 * Two calls: in the first the bot speaks and ends by EndFrame, in the second it is cut by CancelFrame. Prints what
 * happened and when.
 *
 * @returns 0 only if each room is gone from the server's list and each caller saw `ROOM_DELETED`.
 */
export async function demo(
  write: (text: string) => void = (text) => writeOrDrop(process.stdout, text),
): Promise<number> {
  let server: LiveKitServer;
  process.env.NODE_ENV ??= 'production'; // otherwise LiveKit's SDK prints debug lines in between
  try {
    await (await rtcNode.acquire()).release();
    server = await startLiveKitServer({ onProgress: (message) => write(`${message}\n`) });
  } catch (error) {
    if (!(error instanceof MissingDependencyError)) throw error;
    write(`Without media, against a simulated server: ${error.message}\n`);
    return (await demoWithoutMedia(write)) ? 0 : 1;
  }
  try {
    write(`LiveKit server at ${server.url}\n`);
    const ended = await callThatEnds(server, write);
    const cancelled = await callThatIsCancelled(server, write);
    write(ended && cancelled ? '\nBoth rooms are gone, both callers know why.\n' : '\nFAILED, see above.\n');
    return ended && cancelled ? 0 : 1;
  } finally {
    await server.stop();
  }
}

/** A bot and a caller in one room, and the timeline of their call. */
interface Call {
  readonly timeline: Timeline;
  readonly transport: LiveKitTransport;
  readonly task: PipelineTask;
  readonly caller: Caller;
}

async function callThatEnds(server: LiveKitServer, write: (text: string) => void): Promise<boolean> {
  write('\nA call that ends with EndFrame\n');
  await using call = await beginCall(server, write);
  const { timeline, task } = call;
  call.whenHeard(() => {
    timeline.add('bot', `speaks for ${sentenceMs} ms, and an EndFrame is queued behind it`);
    task.queueFrame(tone(440, sentenceMs));
    task.queueFrame(new EndFrame('said goodbye'));
  });
  return await call.finish(); // before the caller's process is stopped
}

async function callThatIsCancelled(server: LiveKitServer, write: (text: string) => void): Promise<boolean> {
  write('\nA call that is cut by CancelFrame\n');
  await using call = await beginCall(server, write);
  const { timeline, task, caller } = call;
  call.whenHeard(() => {
    timeline.add('bot', `begins to speak for ${monologueMs} ms`);
    task.queueFrame(tone(440, monologueMs));
    caller.waitFor('audioStarted').then(
      () => {
        setTimeout(() => {
          timeline.add('bot', 'is cancelled in the middle of it');
          task.cancel('enough');
        }, cutAfterMs);
      },
      () => task.cancel('the caller heard nothing'),
    );
  });
  return await call.finish(); // before the caller's process is stopped
}

async function beginCall(server: LiveKitServer, write: (text: string) => void) {
  const { url, apiKey, apiSecret } = server;
  const timeline = new Timeline(write);
  const params = { audioInEnabled: true, audioOutEnabled: true };
  const transport = new LiveKitTransport({ url, apiKey, apiSecret, params, logger: silentLogger });
  const { roomName } = transport;
  const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), {
    logger: silentLogger,
  });
  const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
  narrateBot(timeline, transport, task);
  const run = new PipelineRunner().run(task);
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  await Promise.race([started, run]);
  const caller = spawnCaller({ url, token });
  narrateCaller(timeline, caller);
  const call: Call = { timeline, transport, task, caller };
  return {
    ...call,
    /** Calls back once the caller is connected and listens. */
    whenHeard: (speak: () => void): void => {
      caller.waitFor('trackSubscribed').then(speak, () => task.cancel('the caller did not come'));
    },
    finish: async (): Promise<boolean> => {
      await run;
      return verdict(call, server);
    },
    [Symbol.asyncDispose]: () => caller.stop(),
  };
}

function narrateBot(timeline: Timeline, transport: LiveKitTransport, task: PipelineTask): void {
  transport.on('connected', () => timeline.add('bot', `joined the room ${transport.roomName}`));
  transport.on('left', () => timeline.add('bot', 'has left the room'));
  task.lifecycle$.subscribe(({ phase, frame }) => {
    const what = phase === 'entered' ? 'enters the pipeline' : 'has come out of the pipeline';
    timeline.add('bot', `${frame.constructor.name} ${what}`);
  });
  transport.outcome$.subscribe(({ status, attempts, elapsedMs }) => {
    const answer = status === 'deleted' ? ' (status 200)' : '';
    const took = `${attempts} request${attempts === 1 ? '' : 's'}, ${elapsedMs.toFixed(0)} ms`;
    timeline.add('livekit', `DeleteRoom: ${status}${answer}, ${took}`);
  });
}

function narrateCaller(timeline: Timeline, caller: Caller): void {
  const whatever = (): void => {};
  caller
    .waitFor('joined')
    .then(({ at }) => timeline.add('caller', 'joined, in a process of its own', at), whatever);
  caller.waitFor('audioStarted').then(({ at }) => timeline.add('caller', 'hears the bot', at), whatever);
  caller.waitFor('disconnected', { timeoutMs: 60_000 }).then(({ reason, at }) => {
    timeline.add('caller', `disconnected with ${reason}`, at);
  }, whatever);
}

async function verdict({ timeline, transport, caller }: Call, server: LiveKitServer): Promise<boolean> {
  const { httpUrl: apiUrl, apiKey, apiSecret } = server;
  const reason = await caller.waitFor('disconnected').then(
    (event) => event.reason,
    () => 'nothing',
  );
  await caller.exited; // its last word is what it has heard
  const { heardMs } = await caller.heard();
  timeline.add('caller', `heard ${heardMs.toFixed(0)} ms of the bot`);
  const rooms = await new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret }).listRooms([transport.roomName]);
  const isGone = rooms.length === 0;
  const toldWhy = reason === 'ROOM_DELETED';
  timeline.add(
    'check',
    isGone ? 'the room is gone from the server’s list' : 'FAILED: the room is still listed',
  );
  if (!toldWhy) timeline.add('check', `FAILED: the caller saw ${reason} instead of ROOM_DELETED`);
  return isGone && toldWhy;
}

function tone(hertz: number, durationMs: number): OutputAudioRawFrame {
  const audio = new Int16Array((durationMs * sampleRate) / 1_000);
  for (let index = 0; index < audio.length; index += 1) {
    audio[index] = 12_000 * Math.sin((2 * Math.PI * hertz * index) / sampleRate);
  }
  return new OutputAudioRawFrame({ audio, sampleRate, numChannels: 1 });
}

const colours = { bot: 'cyan', caller: 'magenta', livekit: 'yellow', check: 'green', demo: 'white' } as const;

/** The source of an entry. */
export type Actor = keyof typeof colours;

/** Prints what happened, in the order of the call, with the milliseconds since its beginning. */
export class Timeline {
  readonly #write: (text: string) => void;
  readonly #startedAt = now();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** @param at When it happened, milliseconds since 1970. Default: now. */
  add(actor: Actor, text: string, at: number = now()): void {
    const ms = `${Math.max(0, at - this.#startedAt).toFixed(0)} ms`.padStart(9);
    this.#write(`${styleText('dim', ms)}  ${styleText(colours[actor], actor.padEnd(8))}${text}\n`);
  }
}

/** The same clock in every process of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The demo where there is no LiveKit server or no media: the same cleanup, in a pipeline without sound, against
 * a simulated room service.
 *
 * @returns Whether each room was gone and each simulated participant saw why.
 */
export async function demoWithoutMedia(write: (text: string) => void): Promise<boolean> {
  await using server = await FakeLiveKitServer.start();
  const ended = await call(server, write, 'EndFrame');
  const cancelled = await call(server, write, 'CancelFrame');
  return ended && cancelled;
}

async function call(
  server: FakeLiveKitServer,
  write: (text: string) => void,
  how: 'EndFrame' | 'CancelFrame',
): Promise<boolean> {
  write(`\nA simulated call that ends with ${how}\n`);
  const timeline = new Timeline(write);
  const roomName = `endframe-demo-${how}`;
  const rest = new LiveKitRESTHelper({
    apiUrl: server.httpUrl,
    apiKey: server.apiKey,
    apiSecret: server.apiSecret,
  });
  const cleanup = new RoomCleanupProcessor({ roomName, rest, logger: silentLogger });
  const task = new PipelineTask(new Pipeline([cleanup]), { logger: silentLogger });
  const caller = server.join(roomName, 'caller');
  timeline.add('caller', `is in the room ${roomName} (simulated)`);
  caller.on('disconnected', (reason) => timeline.add('caller', `disconnected with ${reason}`));
  cleanup.on('roomDeleted', ({ status, elapsedMs }) => {
    timeline.add('livekit', `DeleteRoom: ${status}, after ${elapsedMs.toFixed(0)} ms`);
  });
  task.frames$.subscribe((frame) =>
    timeline.add('bot', `${frame.constructor.name} has come out of the pipeline`),
  );

  task.queueFrame(new TextFrame('Goodbye.'));
  task.queueFrame(
    how === 'EndFrame' ? new EndFrame('said goodbye') : new CancelFrame('in the middle of a sentence'),
  );
  const [result] = await new PipelineRunner().run(task);
  timeline.add('bot', `run() has settled: ${result?.reason}`);

  const isGone = server.room(roomName) === undefined;
  const toldWhy = (await caller.disconnected) === 'ROOM_DELETED';
  timeline.add(
    'check',
    isGone && toldWhy ? 'the room is gone, the caller knows why' : 'FAILED: the room is still there',
  );
  return isGone && toldWhy;
}
