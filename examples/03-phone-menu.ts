/**
 * A menu for telephone keys: 1 and 2 read something out, # ends the call. Each key interrupts what is being said.
 *
 * Run:      npm run example 03
 * You see:  caller  has joined
 *           bot     says: Welcome. For our hours press one, …
 *           bot     says: We are open from nine to five.
 *           bot     says: Goodbye.
 *           caller  heard 2.8 s of the bot
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
  InputDTMFFrame,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  TTSAudioRawFrame,
} from 'endframe';
import { createParticipantToken, LiveKitTransport } from 'endframe/livekit';
import espeak from 'espeak-ng';

const prompts = {
  welcome: 'Welcome. For our hours press one, for our address press two, to end press hash.',
  hours: 'We are open from nine to five.',
  address: 'We are at one, Main Street.',
  goodbye: 'Goodbye.',
};

/** eSpeak NG as WebAssembly: a voice without a service. */
async function speech(text: string): Promise<TTSAudioRawFrame> {
  const { FS } = await espeak({ arguments: ['-v', 'en-us', '-s', '160', '-w', 'out.wav', text] });
  const audio = new Int16Array(FS.readFile('out.wav').slice(44).buffer); // behind the header of the WAV file
  return new TTSAudioRawFrame({ audio, sampleRate: 22_050, numChannels: 1 });
}

const voice = new Map<string, TTSAudioRawFrame>();
for (const prompt of Object.values(prompts)) voice.set(prompt, await speech(prompt));

class Menu extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (frame instanceof ClientConnectedFrame) this.#say(prompts.welcome);
    if (frame instanceof InputDTMFFrame) this.#pressed(frame.button);
  }

  #pressed(key: InputDTMFFrame['button']): void {
    this.broadcastInterruption();
    if (key === '1') this.#say(prompts.hours);
    else if (key === '2') this.#say(prompts.address);
    else if (key !== '#') this.#say(prompts.welcome);
    else {
      this.#say(prompts.goodbye);
      this.push(new EndTaskFrame('the caller is done'), 'upstream');
    }
  }

  #say(prompt: string): void {
    console.log(`says: ${prompt}`);
    const audio = voice.get(prompt);
    // a copy: a frame goes through a pipeline once
    if (audio) this.push(new TTSAudioRawFrame(audio));
  }
}

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioOutEnabled: true } });
const task = new PipelineTask(
  new Pipeline([transport.input(), new EndWhenAlone(), new Menu(), transport.output()]),
);

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
