/**
 * A bot's program: a LiveKitTransport in a pipeline, run by a PipelineRunner; talking-bot.ts starts it.
 *
 * Server and keys come from the environment. It tells what happens as one JSON object per line, does what
 * `whenAsked` says at SIGUSR2, and calls nothing that would end the process.
 */

import { EndFrame } from '../../src/frames/lifecycle.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import type { BotOptions } from './talking-bot.ts';
import { tone } from './tone.ts';

const options: BotOptions = JSON.parse(process.argv[2] ?? '{}');

function tell(event: string, facts: object = {}): void {
  const at = performance.timeOrigin + performance.now();
  process.stdout.write(`${JSON.stringify({ event, at, ...facts })}\n`);
}

const log =
  (level: string): Logger['error'] =>
  (fields, message) => {
    const text = JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value));
    process.stderr.write(`${level} ${message} ${text}\n`);
  };
const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };

const { roomName, identity, apiUrl, guardian = false, onSignal = 'cancel', whenAsked } = options;
const { LIVEKIT_API_KEY: apiKey = '', LIVEKIT_API_SECRET: apiSecret = '' } = process.env;
const transport = new LiveKitTransport({
  roomName,
  identity,
  logger,
  params: { audioInEnabled: true, audioOutEnabled: true },
  deleteRoomOnEnd: {
    guardian,
    ...(apiUrl !== undefined && { rest: new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }) }),
  },
});
const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), { logger });

task.on('started', () => tell('started'));
task.lifecycle$.subscribe(({ phase, frame }) => tell(phase, { frame: frame.constructor.name }));
transport.on('disconnected', ({ reason }) => tell('disconnected', { reason }));
transport.outcome$.subscribe(({ status, attempts, trigger }) =>
  tell('outcome', { status, attempts, trigger }),
);

process.on('exit', (code) => tell('exit', { code }));
process.on('SIGUSR2', () => {
  switch (whenAsked?.does) {
    case 'say':
      task.queueFrame(tone(440, whenAsked.ms));
      tell('says');
      break;
    case 'sayAndEnd':
      task.queueFrames([tone(440, whenAsked.ms), new EndFrame('said goodbye')]);
      break;
    case 'throw':
      throw new Error('thrown on purpose');
    case 'reject':
      void Promise.reject(new Error('rejected on purpose'));
      break;
    default:
      tell('was not told what to do');
  }
});

new PipelineRunner({ onSignal, logger }).run(task).then(
  ([result]) => tell('settled', { reason: result?.reason }),
  (error: unknown) => tell('rejected', { error: String(error) }),
);
