/** What the programs that make many real calls have in common: bots, callers, what they leave behind, a table. */

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { OutputAudioRawFrame, UserAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { silentLogger as logger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { joinToken } from '../support/tokens.ts';

/** Says what it hears. */
export class Echo extends FrameProcessor {
  heardMs = 0;

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (!(frame instanceof UserAudioRawFrame)) {
      this.push(frame, direction);
      return;
    }
    this.heardMs += frame.durationMs;
    this.push(new OutputAudioRawFrame(frame));
  }
}

export interface EchoBot {
  readonly transport: LiveKitTransport;
  readonly task: PipelineTask;
  readonly echo: Echo;
  readonly started: Promise<void>;
  readonly run: Promise<PipelineResult>;
}

/** A bot in a room of its own. */
export function startEchoBot({ url, apiKey, apiSecret }: LiveKitServer): EchoBot {
  const params = { audioInEnabled: true, audioOutEnabled: true };
  const transport = new LiveKitTransport({ url, apiKey, apiSecret, params, logger });
  const echo = new Echo();
  const task = new PipelineTask(new Pipeline([transport.input(), echo, transport.output()]), { logger });
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  return { transport, task, echo, started, run: task.run() };
}

/** Somebody in a process of their own. */
export async function startCaller(server: LiveKitServer, roomName: string): Promise<Caller> {
  return spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'ada') });
}

export interface Memory {
  readonly rssMB: number;
  readonly heapMB: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** After collecting garbage. */
export async function memory(): Promise<Memory> {
  collectGarbage();
  await sleep(50);
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMB: rss / 1e6, heapMB: heapUsed / 1e6 };
}

/** What would keep this process alive, and who listens to it: such as `PipeWrap: 4, on SIGTERM: 1`. */
export function openThings(): string {
  const names = process.getActiveResourcesInfo();
  for (const event of process.eventNames()) {
    names.push(...process.listeners(event as 'exit').map(() => `on ${String(event)}`));
  }
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => `${name}: ${count}`)
    .sort()
    .join(', ');
}

export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** Absent for what is only noted. */
  readonly ok?: boolean;
}

/** Prints a table; the process exits with 1 when something is not as it must be. */
export function tellFigures(title: string, figures: readonly Figure[]): void {
  const width = Math.max(...figures.map(({ what }) => what.length));
  console.log(title);
  for (const { what, measured, ok } of figures) {
    const verdict = ok === undefined ? '' : ok ? '  ok' : '  MISSED';
    console.log(`  ${what.padEnd(width)}  ${measured}${verdict}`);
  }
  if (figures.some(({ ok }) => ok === false)) process.exitCode = 1;
}
