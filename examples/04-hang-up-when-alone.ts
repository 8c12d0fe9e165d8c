/**
 * A bot that ends two seconds after the last participant left; one who comes back sooner finds it still there.
 *
 * Run:      npm run example 04              with a simulated caller
 *           npm run example 04 -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     is with the caller
 *           caller  hung up
 *           bot     is alone
 *           bot     ends: alone in the room
 *           room    gone
 */

import { EndWhenAlone, Pipeline, PipelineRunner, PipelineTask } from 'endframe';
import { createParticipantToken, LiveKitTransport } from 'endframe/livekit';

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params: { audioInEnabled: true } });
const pipeline = new Pipeline([
  transport.input(),
  new EndWhenAlone({ graceMs: 2_000 }),
  // yours: recognition, language model, speech
  transport.output(),
]);
const task = new PipelineTask(pipeline);

transport.on('participantJoined', ({ identity }) => console.log(`is with the ${identity}`));
transport.on('participantLeft', () => {
  if (transport.participants.length === 0) console.log('is alone');
});
task.lifecycle$.subscribe(({ phase, frame }) => {
  if (phase === 'entered' && 'reason' in frame) console.log(`ends: ${frame.reason}`);
});

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
