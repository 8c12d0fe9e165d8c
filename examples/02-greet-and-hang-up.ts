/**
 * A bot that has the last word: the EndFrame queues behind the speech, so the greeting is heard whole before the room
 * is deleted.
 *
 * Run:      npm run example 02              with a simulated caller
 *           npm run example 02 -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     greets for 3.9 s
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
  TTSAudioRawFrame,
} from 'endframe';
import { createParticipantToken, LiveKitTransport } from 'endframe/livekit';
import espeak from 'espeak-ng';

/** eSpeak NG as WebAssembly: a voice without a service. */
async function speech(text: string): Promise<TTSAudioRawFrame> {
  const { FS } = await espeak({ arguments: ['-v', 'en-us', '-s', '160', '-w', 'out.wav', text] });
  const audio = new Int16Array(FS.readFile('out.wav').slice(44).buffer); // behind the header of the WAV file
  return new TTSAudioRawFrame({ audio, sampleRate: 22_050, numChannels: 1 });
}

class Greeter extends FrameProcessor {
  readonly #greeting: TTSAudioRawFrame;

  constructor(greeting: TTSAudioRawFrame) {
    super();
    this.#greeting = greeting;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (!(frame instanceof ClientConnectedFrame)) return;
    console.log(`greets for ${(this.#greeting.durationMs / 1_000).toFixed(1)} s`);
    this.push(this.#greeting);
    this.push(new EndTaskFrame('all is said'), 'upstream');
  }
}

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioOutEnabled: true } });
const greeter = new Greeter(await speech('Hello! This was all I wanted to say. Goodbye!'));
const task = new PipelineTask(new Pipeline([transport.input(), greeter, transport.output()]));

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
