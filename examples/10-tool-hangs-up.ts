/**
 * A tool by which a language model ends the call: it answers the function call, says goodbye, and asks for the end of
 * the task. What is queued before the EndFrame is heard whole. The model here is a stand-in that calls the tool as soon
 * as the caller has said something.
 *
 * Run:      npm run example 10              with a simulated caller
 *           npm run example 10 -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     the model calls end_call
 *           caller  heard 1.2 s of the bot
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import {
  EndTaskFrame,
  EndWhenAlone,
  type Frame,
  type FrameDirection,
  FrameProcessor,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
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

/** Stands in for a language model. */
class Model extends FrameProcessor {
  #calls = 0;

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (!(frame instanceof UserStoppedSpeakingFrame) || direction === 'upstream' || this.#calls > 0) return;
    this.#calls += 1;
    const call = { functionName: 'end_call', toolCallId: 'call-1', arguments: { reason: 'all is said' } };
    this.push(new FunctionCallInProgressFrame(call));
  }
}

class EndCallTool extends FrameProcessor {
  readonly #goodbye: TTSAudioRawFrame;

  constructor(goodbye: TTSAudioRawFrame) {
    super();
    this.#goodbye = goodbye;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (!(frame instanceof FunctionCallInProgressFrame) || frame.functionName !== 'end_call') return;
    console.log('the model calls end_call');
    const { functionName, toolCallId, arguments: args } = frame;
    this.push(new FunctionCallResultFrame({ functionName, toolCallId, arguments: args, result: 'ending' }));
    this.push(this.#goodbye);
    this.push(new EndTaskFrame(String(args.reason)), 'upstream');
  }
}

const {
  LIVEKIT_URL: url = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const params = { audioInEnabled: true, audioOutEnabled: true };
const transport = new LiveKitTransport({ url, apiKey, apiSecret, params });
const pipeline = new Pipeline([
  transport.input(),
  new EndWhenAlone(),
  new VADProcessor({ stopMs: 400 }),
  new Model(),
  new EndCallTool(await speech('All right. Goodbye!')),
  transport.output(),
]);
const task = new PipelineTask(pipeline);

const { roomName } = transport;
const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: url, token })}`);
await new PipelineRunner().run(task);
