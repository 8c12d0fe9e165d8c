/**
 * A menu for telephone keys: 1 and 2 tell something, # ends the call. Whoever presses a key has heard enough, so
 * each key interrupts what is being said.
 *
 * Run:      npm run example examples/03-phone-menu.ts
 * You see:  caller  has joined
 *           bot     welcomes
 *           bot     tells the hours, after 1
 *           bot     says goodbye, after #
 *           caller  heard 2.8 s of the bot
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClientConnectedFrame,
  EndTaskFrame,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  InputDTMFFrame,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  TTSAudioRawFrame,
} from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { startLiveKitServer } from 'endframe/testing';
import { phoneCall, tell } from './support/phone-call.ts';
import { speech } from './support/speech.ts';

const welcome = await speech(
  'Welcome. For our hours press one, for our address press two, to end press hash.',
);
const hours = await speech('We are open from nine to five.');
const address = await speech('We are at one, Main Street.');
const goodbye = await speech('Goodbye.');

class Menu extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (frame instanceof ClientConnectedFrame) this.#say(welcome, 'welcomes');
    if (frame instanceof InputDTMFFrame) this.#pressed(frame.button);
  }

  #pressed(key: InputDTMFFrame['button']): void {
    this.broadcastInterruption();
    if (key === '1') this.#say(hours, 'tells the hours, after 1');
    else if (key === '2') this.#say(address, 'tells the address, after 2');
    else if (key !== '#') this.#say(welcome, `welcomes again, after ${key}`);
    else {
      this.#say(goodbye, 'says goodbye, after #');
      this.push(new EndTaskFrame('the caller is done'), 'upstream');
    }
  }

  #say(prompt: TTSAudioRawFrame, what: string): void {
    tell('bot', what);
    this.push(new TTSAudioRawFrame(prompt));
  }
}

const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioOutEnabled: true } });
const task = new PipelineTask(new Pipeline([transport.input(), new Menu(), transport.output()]));

const call = phoneCall(server, transport, async (caller) => {
  await caller.waitFor('audioStarted');
  await sleep(1_000);
  await caller.pressKeys('1');
  await sleep(2_000);
  await caller.pressKeys('#');
});
await new PipelineRunner().run(task);
await call;
