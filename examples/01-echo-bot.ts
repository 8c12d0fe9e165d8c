/**
 * The smallest bot: it says what it hears, and hangs up five seconds after the first caller has joined.
 *
 * Run:      npm run example 01              with a simulated caller
 *           npm run example 01 -- --join    prints a link for you
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
import { createParticipantToken, LiveKitTransport } from 'endframe/livekit';

class Echo extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof UserAudioRawFrame) this.push(new OutputAudioRawFrame(frame));
    this.push(frame, direction);
  }
}

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const params = { audioInEnabled: true, audioOutEnabled: true };
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params });
const alone = new EndWhenAlone({ graceMs: 1_000 });
// one rate both ways: a resampler would hold back up to 25 ms
const task = new PipelineTask(new Pipeline([transport.input(), new Echo(), alone, transport.output()]), {
  audioInSampleRate: 24_000,
  audioOutSampleRate: 24_000,
});
transport.once('participantJoined', () => setTimeout(() => task.stopWhenDone(), 5_000).unref());

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
