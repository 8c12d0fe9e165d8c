/** Writes down what happens in a conversation. */

import type { LLMContext, LLMContextAggregatorPair } from '../../../src/conversation.ts';
import type { FrameProcessor } from '../../../src/processors/frame-processor.ts';
import { readMessages } from './messages.ts';
import { type Departure, departureOf, type ProcessorName } from './places.ts';
import type { Counts, Message, TurnEvent } from './scenario.ts';
import type { ToolRecord } from './scripted-tools.ts';

/** One run of the model. */
export interface RunRecord {
  readonly messages: readonly Message[];
  /** Names, sorted. */
  readonly tools: readonly string[];
  readonly atMs: number;
}

/** The counts of one moment. */
export interface MarkRecord {
  readonly counts: Counts;
  readonly atMs: number;
}

/** What a conversation looked like from outside. */
export interface ConversationRecording {
  /** At the end. */
  readonly context: readonly Message[];
  readonly llmRuns: readonly RunRecord[];
  readonly user: readonly TurnEvent[];
  readonly assistant: readonly TurnEvent[];
  /** Calls whose handler started. */
  readonly tools: readonly ToolRecord[];
  readonly marks: ReadonlyMap<string, MarkRecord>;
  readonly departures: readonly Departure[];
  /** Class of the frame that the run finished with, without `Frame`; `null` for none. */
  readonly ended: string | null;
  /** `undefined` when the run did not settle. */
  readonly settledAtMs: number | undefined;
  readonly errors: number;
  /** What kept the scenario from being played as it is written. */
  readonly troubles: readonly string[];
  /** All of it in order, with the milliseconds since the first step; for people to read. */
  readonly timeline: readonly string[];
}

/** A wait for frames to leave a place. */
interface Waiter {
  readonly place: string;
  readonly className: string;
  readonly count: number;
  readonly resolve: () => void;
}

export class ConversationRecorder {
  readonly #context: LLMContext;
  readonly #runs: RunRecord[] = [];
  readonly #user: TurnEvent[] = [];
  readonly #assistant: TurnEvent[] = [];
  readonly #tools: ToolRecord[] = [];
  readonly #marks = new Map<string, MarkRecord>();
  readonly #departures: Departure[] = [];
  readonly #troubles: string[] = [];
  readonly #timeline: string[] = [];
  #firstStepAtMs: number | undefined;
  #waiters: Waiter[] = [];
  #errors = 0;

  constructor(context: LLMContext) {
    this.#context = context;
  }

  /** The first step is due: the time of the timeline begins. */
  begin(): void {
    this.#firstStepAtMs = performance.now();
  }

  /** Listens to the processor of that name. */
  watch(name: ProcessorName, processor: FrameProcessor): void {
    processor.on('beforePushFrame', (frame, direction) => {
      const departure = departureOf(name, frame, direction);
      if (departure === undefined) return;
      this.#departures.push(departure);
      this.#note(`${departure.place} ${departure.entry}`);
      this.#releaseWaiters();
    });
  }

  /** Listens to the events of both halves. */
  watchTurns({ user, assistant }: LLMContextAggregatorPair): void {
    const tellUser = (...event: unknown[]): void => {
      this.#user.push(event);
      this.#note(`user ${JSON.stringify(event)}`);
    };
    const tellAssistant = (...event: unknown[]): void => {
      this.#assistant.push(event);
      this.#note(`assistant ${JSON.stringify(event)}`);
    };
    user.on('userTurnStarted', () => tellUser('started'));
    user.on('userTurnInferenceTriggered', () => tellUser('inference'));
    user.on('userTurnStopped', ({ content }) => tellUser('stopped', content));
    user.on('userTurnStopTimeout', () => tellUser('timeout'));
    user.on('userTurnIdle', () => tellUser('idle'));
    user.on('userMuteStarted', () => tellUser('muted'));
    user.on('userMuteStopped', () => tellUser('unmuted'));
    assistant.on('assistantTurnStarted', () => tellAssistant('started'));
    assistant.on('assistantTurnStopped', ({ content, interrupted }) =>
      tellAssistant('stopped', content, ...(interrupted ? ['interrupted'] : [])),
    );
  }

  /** The model was run. */
  readonly onRun = ({ messages, tools }: LLMContext): void => {
    this.#note(`run ${this.#runs.length + 1} of the model`);
    this.#runs.push({
      messages: readMessages(messages),
      tools: Object.keys(tools).sort(),
      atMs: performance.now(),
    });
  };

  /** A handler has started. */
  readonly onTool = (record: ToolRecord): void => {
    this.#note(`call of ${record.name}: ${record.id}`);
    this.#tools.push(record);
  };

  /** The task has reported an error. */
  readonly onError = (): void => {
    this.#note('error');
    this.#errors += 1;
  };

  /** Something keeps the scenario from being played as it is written. */
  trouble(text: string): void {
    this.#troubles.push(text);
  }

  /** Writes down the counts of this moment. */
  mark(name: string): void {
    this.#note(`mark ${name}`);
    const count = (event: string): number => this.#user.filter(([one]) => one === event).length;
    const counts = {
      turnsStarted: count('started'),
      turnsStopped: count('stopped'),
      idle: count('idle'),
      llmRuns: this.#runs.length,
      messages: readMessages(this.#context.messages).length,
    };
    this.#marks.set(name, { counts, atMs: performance.now() });
  }

  /** Resolves when so many frames of a class have left a place since the beginning. */
  whenLeft(place: string, className: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ place, className, count, resolve });
      this.#releaseWaiters();
    });
  }

  /** Everything so far. */
  take({ ended, settledAtMs }: Pick<ConversationRecording, 'ended' | 'settledAtMs'>): ConversationRecording {
    return {
      context: readMessages(this.#context.messages),
      llmRuns: [...this.#runs],
      user: [...this.#user],
      assistant: [...this.#assistant],
      tools: this.#tools.map((record) => ({ ...record, saw: [...record.saw] })),
      marks: new Map(this.#marks),
      departures: [...this.#departures],
      ended,
      settledAtMs,
      errors: this.#errors,
      troubles: [...this.#troubles],
      timeline: [...this.#timeline],
    };
  }

  #note(text: string): void {
    // what happens before the first step has no time
    const sinceMs =
      this.#firstStepAtMs === undefined ? 0 : Math.round(performance.now() - this.#firstStepAtMs);
    this.#timeline.push(`${String(sinceMs).padStart(6)} ${text}`);
  }

  #releaseWaiters(): void {
    this.#waiters = this.#waiters.filter(({ place, className, count, resolve }) => {
      const left = this.#departures.filter((one) => one.place === place && one.className === className);
      if (left.length >= count) resolve();
      return left.length < count;
    });
  }
}
