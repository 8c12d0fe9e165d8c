/**
 * A bot that nobody listens to any more ends by itself: two seconds after the last participant left. Whoever
 * comes back sooner finds it still there.
 *
 * Run:      npm run example examples/04-hang-up-when-alone.ts              with a simulated caller
 *           npm run example examples/04-hang-up-when-alone.ts -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     is with the caller
 *           bot     is alone
 *           caller  hung up
 *           bot     ends: alone in the room
 *           room    gone
 */

import { EndWhenAlone, Pipeline, PipelineRunner, PipelineTask } from 'endframe';
import { LiveKitTransport } from 'endframe/livekit';
import { startLiveKitServer } from 'endframe/testing';
import { phoneCall, tell } from './support/phone-call.ts';

const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioInEnabled: true } });
const pipeline = new Pipeline([
  transport.input(),
  new EndWhenAlone({ graceMs: 2_000 }),
  // yours: recognition, language model, speech
  transport.output(),
]);
const task = new PipelineTask(pipeline);

transport.on('participantJoined', ({ identity }) => tell('bot', `is with the ${identity}`));
transport.on('participantLeft', () => {
  if (transport.participants.length === 0) tell('bot', 'is alone');
});
task.lifecycle$.subscribe(({ phase, frame }) => {
  if (phase === 'entered' && 'reason' in frame) tell('bot', `ends: ${frame.reason}`);
});

const call = phoneCall(server, transport, async (caller) => {
  await caller.playTone(440, 500);
  await caller.leave();
});
await new PipelineRunner().run(task);
await call;
