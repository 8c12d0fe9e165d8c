/** Plays a scenario and writes down what happened: `conversation-traces/README.md`, section 1. */

import { LLMContext, LLMContextAggregatorPair, type Tool } from '../../../src/conversation.ts';
import { roleOf } from '../../../src/frames/frame.ts';
import { STTMetadataFrame } from '../../../src/frames/services.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../../src/pipeline/pipeline-task.ts';
import type { FrameProcessor } from '../../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../../src/processors/frame-processor-setup.ts';
import { sleep } from '../../support/fake-time.ts';
import { makeMessage } from './messages.ts';
import { type ProcessorName, processorNames } from './places.ts';
import { ConversationRecorder, type ConversationRecording } from './recorder.ts';
import type { Conversation } from './scenario.ts';
import { ScriptedLLM } from './scripted-llm.ts';
import { ScriptedOutput } from './scripted-output.ts';
import { scriptedTool } from './scripted-tools.ts';
import { ScriptedTTS } from './scripted-tts.ts';
import { performSteps, toolsOf } from './steps.ts';
import { userOptions } from './user-options.ts';

/** The frame that a run of that result finished with. */
const endedWith: Readonly<Record<PipelineResult['reason'], string | null>> = {
  ended: 'End',
  stopped: 'Stop',
  cancelled: 'Cancel',
  failed: null,
};

/** From the start to the first step, and from the end to the comparison. */
const marginMs = 50;

/** Plays a scenario to 50 ms after its end. Needs time that passes by itself. */
export async function runConversation(scenario: Conversation): Promise<ConversationRecording> {
  const { limitMs = 9_000 } = scenario;
  const { processors, llm, tools, recorder } = build(scenario);
  const task = new PipelineTask(
    new Pipeline(processorNames.map((name): FrameProcessor => processors[name])),
    {
      audioInSampleRate: 16_000,
      audioOutSampleRate: 16_000,
      idleTimeoutMs: null,
      logger: silentLogger,
    },
  );
  task.on('error', (error) => {
    if (roleOf(error) === 'error') recorder.onError();
  });
  const started = new Promise<void>((resolve) => task.once('started', resolve));

  let end: Pick<ConversationRecording, 'ended' | 'settledAtMs'> = { ended: null, settledAtMs: undefined };
  const settled = task
    .run()
    .then(
      ({ reason }) => endedWith[reason],
      (error: unknown) => {
        recorder.trouble(`run() was rejected: ${error}`);
        return null;
      },
    )
    .then((ended) => {
      end = { ended, settledAtMs: performance.now() };
    });

  await Promise.race([started, settled]);
  if (scenario.ttfsP99Ms !== undefined) {
    task.queueFrame(new STTMetadataFrame({ ttfsP99Ms: scenario.ttfsP99Ms }));
  }
  await sleep(marginMs);
  recorder.begin();
  await performSteps(scenario.steps, { task, llm, tools, recorder, settled, limitMs });
  await Promise.race([settled, sleep(limitMs)]);
  await sleep(marginMs);
  const recording = recorder.take(end);
  if (recording.settledAtMs === undefined) task.cancel('the scenario did not end');
  return recording;
}

interface Parts {
  readonly processors: Readonly<Record<ProcessorName, FrameProcessor>>;
  readonly llm: ScriptedLLM;
  /** Functions with a handler, by name. */
  readonly tools: Readonly<Record<string, Tool>>;
  readonly recorder: ConversationRecorder;
}

function build(scenario: Conversation): Parts {
  const begun: ConversationRecorder['onTool'] = (record) => recorder.onTool(record);
  const tools = Object.fromEntries(
    Object.entries(scenario.tools ?? {}).map(([name, spec]) => [name, scriptedTool(name, spec, begun)]),
  );
  const context = new LLMContext({
    messages: (scenario.context ?? []).map(makeMessage),
    tools: toolsOf(scenario.advertised ?? Object.keys(tools), tools),
  });
  const recorder: ConversationRecorder = new ConversationRecorder(context);
  const pair = new LLMContextAggregatorPair(context, { user: userOptions(scenario.user), assistant: {} });
  const llm = new ScriptedLLM({ script: scenario.llm ?? {}, tools, onRun: recorder.onRun });
  const processors = {
    user: pair.user,
    llm,
    tts: new ScriptedTTS(scenario.tts ?? {}),
    output: new ScriptedOutput(),
    assistant: pair.assistant,
  } as unknown as Parts['processors'];
  for (const name of processorNames) recorder.watch(name, processors[name]);
  recorder.watchTurns(pair);
  return { processors, llm, tools, recorder };
}
