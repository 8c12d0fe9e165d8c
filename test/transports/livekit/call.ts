/** A call with a real LiveKit server: a bot in this process, callers in processes of their own. */

import { expect, onTestFinished } from 'vitest';
import { OutputAudioRawFrame, TTSAudioRawFrame } from '../../../src/frames/audio.ts';
import type { Frame } from '../../../src/frames/frame.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../../src/pipeline/pipeline-task-options.ts';
import type { PipelineResult } from '../../../src/processors/frame-processor-setup.ts';
import type { RoomDeletionOutcome } from '../../../src/rooms/delete-room.ts';
import { FrameRecorder } from '../../../src/testing/run-test.ts';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import type { LiveKitTransportOptions } from '../../../src/transports/livekit/livekit-options.ts';
import { LiveKitTransport } from '../../../src/transports/livekit/livekit-transport.ts';
import { type Caller, spawnCaller } from '../../support/caller.ts';
import { joinToken } from '../../support/tokens.ts';

const sampleRate = 24_000;

export interface Bot {
  readonly transport: LiveKitTransport;
  readonly task: PipelineTask;
  /** Between input and output. */
  readonly inside: FrameRecorder;
  /** Behind the output. */
  readonly behind: FrameRecorder;
  /** Who came and went, with their identity; the bot's own coming and going. */
  readonly events: readonly string[];
  readonly result: Promise<PipelineResult>;
  readonly outcomes: readonly RoomDeletionOutcome[];
  says(...frames: readonly Frame[]): void;
}

export interface BotOptions extends Partial<LiveKitTransportOptions> {
  readonly transport?: LiveKitTransport;
  readonly taskOptions?: PipelineTaskOptions;
}

export function newTransport(server: LiveKitServer, options: LiveKitTransportOptions = {}): LiveKitTransport {
  const { url, apiKey, apiSecret } = server;
  const params = { audioInEnabled: true, audioOutEnabled: true };
  return new LiveKitTransport({ url, apiKey, apiSecret, params, logger: silentLogger, ...options });
}

/** A bot that runs; it has started when the promise of `started` resolves, and is cancelled with the test. */
export function startBot(
  server: LiveKitServer,
  { transport = undefined, taskOptions = {}, ...options }: BotOptions = {},
): Bot & { readonly started: Promise<void> } {
  const bot = transport ?? newTransport(server, options);
  const inside = new FrameRecorder();
  const behind = new FrameRecorder();
  const task = new PipelineTask(new Pipeline([bot.input(), inside, bot.output(), behind]), {
    logger: silentLogger,
    ...taskOptions,
  });
  const events: string[] = [];
  const outcomes: RoomDeletionOutcome[] = [];
  bot.events$.subscribe((event) => {
    if (event.type === 'connected' || event.type === 'left') events.push(event.type);
    if (event.type === 'disconnected') events.push(`disconnected ${event.reason}`);
    if (event.type === 'participantJoined' || event.type === 'participantLeft') {
      events.push(`${event.type} ${event.identity}`);
    }
  });
  bot.outcome$.subscribe((outcome) => outcomes.push(outcome));
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  const result = task.run();
  onTestFinished(async () => {
    task.cancel();
    await result;
  });
  const says = (...frames: readonly Frame[]): void => task.queueFrames(frames);
  return { transport: bot, task, inside, behind, events, result, outcomes, says, started };
}

/** Somebody in the bot's room; killed with the test. */
export async function call(
  server: LiveKitServer,
  roomName: string,
  identity = 'ada',
  kind?: string,
): Promise<Caller> {
  const caller = spawnCaller({ url: server.url, token: await joinToken(server, roomName, identity, kind) });
  onTestFinished(() => caller.stop());
  await caller.waitFor('joined');
  return caller;
}

export interface ToneOptions {
  readonly frequencyHz?: number;
  readonly rateHz?: number;
}

/** A tone in pieces of 20 ms, as speech synthesis delivers it. */
export function tone(
  durationMs: number,
  { frequencyHz = 1_000, rateHz = sampleRate }: ToneOptions = {},
): TTSAudioRawFrame[] {
  const perFrame = rateHz / 50;
  return Array.from({ length: Math.ceil(durationMs / 20) }, (_, piece) => {
    const audio = Int16Array.from({ length: perFrame }, (_, index) =>
      Math.round(12_000 * Math.sin((2 * Math.PI * frequencyHz * (piece * perFrame + index)) / rateHz)),
    );
    return new TTSAudioRawFrame({ audio, sampleRate: rateHz, numChannels: 1 });
  });
}

/** How much of the bot's sound has gone on behind the output, in milliseconds. */
export function playedMs({ behind }: Bot): number {
  return behind.framesOf(OutputAudioRawFrame).reduce((sum, frame) => sum + frame.durationMs, 0);
}

/** Waits until a caller has heard nothing for 600 ms. @returns When they heard the last of it, by the wall clock. */
export async function silenceOf(caller: Caller): Promise<number> {
  for (let before = Number.NaN; ; await sleep(600)) {
    const { lastAt = Number.NaN } = await caller.heard();
    if (lastAt === before) return lastAt;
    before = lastAt;
  }
}

/** What becomes true soon; a busy machine takes its time. */
export function eventually(read: () => unknown): ReturnType<typeof expect.poll> {
  return expect.poll(read, { timeout: 90_000 });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
