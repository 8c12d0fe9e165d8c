/**
 * The smallest bot: it says what it hears. After five seconds it ends, and its room is gone.
 *
 * Run:      npm run example examples/01-echo-bot.ts              with a simulated caller
 *           npm run example examples/01-echo-bot.ts -- --join    prints a link for you
 * You see:  caller  has joined
 *           caller  heard 1.9 s of the bot
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import {
  EndWhenAlone,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  OutputAudioRawFrame,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  UserAudioRawFrame,
} from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { startLiveKitServer } from 'endframe/testing';
import { phoneCall } from './support/phone-call.ts';

class Echo extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof UserAudioRawFrame) this.push(new OutputAudioRawFrame(frame));
    this.push(frame, direction);
  }
}

const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const params = { audioInEnabled: true, audioOutEnabled: true };
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params });
const pipeline = new Pipeline([
  transport.input(),
  new Echo(),
  new EndWhenAlone({ graceMs: 1_000 }),
  transport.output(),
]);
// one rate both ways: a resampler would hold back up to 25 ms of what is said
const task = new PipelineTask(pipeline, { audioInSampleRate: 24_000, audioOutSampleRate: 24_000 });

transport.once('participantJoined', () => setTimeout(() => task.stopWhenDone(), 5_000).unref());

const call = phoneCall(server, transport, (caller) => caller.playTone(440, 2_000));
await new PipelineRunner().run(task);
await call;
