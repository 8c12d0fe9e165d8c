/**
 * A bot that has the last word: it greets with a synthesized voice and ends. The EndFrame queues behind the
 * speech, so the greeting is heard whole before the room is deleted.
 *
 * Run:      npm run example examples/02-greet-and-hang-up.ts              with a simulated caller
 *           npm run example examples/02-greet-and-hang-up.ts -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     says 4.2 s
 *           caller  heard 2.6 s of the bot                      pauses do not count
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import {
  ClientConnectedFrame,
  EndTaskFrame,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  type TTSAudioRawFrame,
} from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { startLiveKitServer } from 'endframe/testing';
import { phoneCall, tell } from './support/phone-call.ts';
import { speech } from './support/speech.ts';

class Greeter extends FrameProcessor {
  readonly #greeting: TTSAudioRawFrame;

  constructor(greeting: TTSAudioRawFrame) {
    super();
    this.#greeting = greeting;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (!(frame instanceof ClientConnectedFrame)) return;
    tell('bot', `says ${(this.#greeting.durationMs / 1_000).toFixed(1)} s`);
    this.push(this.#greeting);
    this.push(new EndTaskFrame('all is said'), 'upstream');
  }
}

const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioOutEnabled: true } });
const greeter = new Greeter(await speech('Hello! This was all I wanted to say. Goodbye!'));
const task = new PipelineTask(new Pipeline([transport.input(), greeter, transport.output()]));

const call = phoneCall(server, transport, async (caller) => {
  await caller.waitFor('audioStarted');
});
await new PipelineRunner().run(task);
await call;
