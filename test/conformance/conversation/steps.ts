/** Performs the steps of a scenario: `conversation-traces/README.md`, section 5. */

import type { LLMService, Tool } from '../../../src/conversation.ts';
import type { Frame } from '../../../src/frames/frame.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import {
  LLMConfigureOutputFrame,
  LLMMessagesAppendFrame,
  LLMMessagesTransformFrame,
  LLMMessagesUpdateFrame,
  LLMRunFrame,
  LLMSetToolsFrame,
} from '../../../src/frames/llm.ts';
import {
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  TTSSpeakFrame,
  UserIdleTimeoutUpdateFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../../src/frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../../src/frames/text.ts';
import type { PipelineTask } from '../../../src/pipeline/pipeline-task.ts';
import { sleep } from '../../support/fake-time.ts';
import { makeMessage } from './messages.ts';
import type { ConversationRecorder } from './recorder.ts';
import type { QueuedSpec, Step } from './scenario.ts';
import { unhandledTool } from './scripted-tools.ts';

/** Start and stop time of the scripted voice activity detection. */
const vadMs = 200;

/** What steps are performed on. */
export interface Stage {
  readonly task: PipelineTask;
  readonly llm: LLMService;
  /** Functions with a handler, by name. */
  readonly tools: Readonly<Record<string, Tool>>;
  readonly recorder: ConversationRecorder;
  /** Resolves when the run has settled. */
  readonly settled: Promise<unknown>;
  /** The longest wait of one step. */
  readonly limitMs: number;
}

/** Performs the steps one after the other; a step does not wait for its frames to arrive. */
export async function performSteps(steps: readonly Step[], stage: Stage): Promise<void> {
  for (const step of steps) await performStep(step, stage);
}

async function performStep(step: Step, stage: Stage): Promise<void> {
  const { task, recorder } = stage;
  if ('user' in step) await sayAll(step.user, step.speechMs ?? 60, stage);
  else if ('vadStart' in step) task.queueFrame(new VADUserStartedSpeakingFrame(vadMs));
  else if ('vadStop' in step) task.queueFrame(new VADUserStoppedSpeakingFrame(vadMs));
  else if ('transcript' in step) {
    task.queueFrame(transcription(step.transcript, step.finalized ?? false, step.userId));
  } else if ('interim' in step) task.queueFrame(new InterimTranscriptionFrame(step.interim, step.userId));
  else if ('speak' in step) task.queueFrame(speech(step.speak, step.appendToContext));
  else if ('queue' in step) {
    const frame = queuedFrame(step.queue, stage.tools);
    if (step.from === 'llm') stage.llm.push(frame);
    else task.queueFrame(frame);
  } else if ('sleep' in step) await sleep(step.sleep);
  else if ('waitFor' in step) await waitFor(step.waitFor, step.at ?? 'output.down', step.count ?? 1, stage);
  else if ('mark' in step) recorder.mark(step.mark);
  else if ('end' in step) task.queueFrame(new EndFrame());
  else if ('cancel' in step) task.cancel();
  else if ('waitEnd' in step) await Promise.race([stage.settled, sleep(stage.limitMs)]);
  else throw new Error(`The traces know no step ${JSON.stringify(step satisfies never)}`);
}

async function sayAll(text: string, speechMs: number, { task }: Stage): Promise<void> {
  task.queueFrame(new VADUserStartedSpeakingFrame(vadMs));
  await sleep(speechMs);
  task.queueFrame(new VADUserStoppedSpeakingFrame(vadMs));
  await sleep(30);
  task.queueFrame(transcription(text, true));
}

async function waitFor(className: string, place: string, count: number, stage: Stage): Promise<void> {
  const { recorder, settled, limitMs } = stage;
  const left = recorder.whenLeft(place, className, count).then(() => true);
  const gaveUp = Promise.race([settled, sleep(limitMs)]).then(() => false);
  if (!(await Promise.race([left, gaveUp]))) {
    recorder.trouble(`waited in vain for ${className} to leave ${place} (${count})`);
  }
}

function transcription(text: string, finalized: boolean, userId?: string): Frame {
  return new TranscriptionFrame(text, userId, undefined, undefined, { finalized });
}

function speech(text: string, appendToContext = true): Frame {
  return new TTSSpeakFrame(text, { appendToContext });
}

function queuedFrame(spec: QueuedSpec, tools: Readonly<Record<string, Tool>>): Frame {
  const messages = (spec.messages ?? []).map(makeMessage);
  switch (spec.frame) {
    case 'LLMRun':
      return new LLMRunFrame();
    case 'LLMMessagesAppend':
      return new LLMMessagesAppendFrame(messages, spec.runLlm);
    case 'LLMMessagesUpdate':
      return new LLMMessagesUpdateFrame(messages, spec.runLlm);
    case 'LLMMessagesTransform': {
      const { keepLast = 0, runLlm } = spec;
      return new LLMMessagesTransformFrame((all) => all.slice(Math.max(0, all.length - keepLast)), runLlm);
    }
    case 'LLMSetTools':
      return new LLMSetToolsFrame(toolsOf(spec.tools ?? [], tools));
    case 'LLMConfigureOutput':
      return new LLMConfigureOutputFrame({ skipTTS: spec.skipTts ?? false });
    case 'UserIdleTimeoutUpdate':
      return new UserIdleTimeoutUpdateFrame(spec.timeoutMs ?? 0);
    case 'TTSSpeak':
      return speech(spec.text ?? '', spec.appendToContext);
    case 'ProposedUserStartedSpeaking':
      return new ProposedUserStartedSpeakingFrame();
    case 'ProposedUserStoppedSpeaking':
      return new ProposedUserStoppedSpeakingFrame();
    case 'UserStartedSpeaking':
      return new UserStartedSpeakingFrame();
    case 'UserStoppedSpeaking':
      return new UserStoppedSpeakingFrame();
    default:
      throw new Error(`The traces queue no frame "${spec.frame}"`);
  }
}

/** The functions of these names; one without a handler is only a name. */
export function toolsOf(
  names: readonly string[],
  tools: Readonly<Record<string, Tool>>,
): Record<string, Tool> {
  return Object.fromEntries(names.map((name) => [name, tools[name] ?? unhandledTool]));
}
