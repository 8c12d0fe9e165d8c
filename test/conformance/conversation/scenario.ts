/** The notation of `conversation-traces/README.md` as types. */

/** A call of a function that the model asks for. */
export interface CallSpec {
  readonly id: string;
  readonly name: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** What a tool message says where it has no result. */
export type ToolState = 'running' | 'cancelled' | 'done' | 'failed' | 'unknown';

/** A message that the aggregators themselves write. */
export interface OwnMessage {
  readonly kind: 'emptyTurn' | 'lateResult' | 'lateCancel' | 'progress';
  readonly id?: string;
  readonly result?: unknown;
}

/** Section 2: an object with one key, the role. */
export interface Message {
  readonly system?: unknown;
  readonly user?: unknown;
  readonly assistant?: unknown;
  readonly developer?: unknown;
  readonly calls?: unknown;
  readonly tool?: string;
  readonly result?: unknown;
  readonly state?: unknown;
}

/** Section 3: when a user's turn starts. */
export interface StartSpec {
  readonly type: 'vad' | 'transcription' | 'minWords' | 'external';
  readonly minWords?: number;
  readonly useInterim?: boolean;
  readonly interrupts?: boolean;
}

/** Section 3: when a user's turn stops. */
export interface StopSpec {
  readonly type: 'speechTimeout' | 'external' | 'turnAnalyzer';
  readonly timeoutMs?: number;
  readonly waitForTranscript?: boolean;
  readonly verdicts?: readonly ('complete' | 'incomplete')[];
  readonly deferred?: boolean;
}

export interface UserSpec {
  readonly start?: readonly StartSpec[];
  readonly stop?: readonly StopSpec[];
  readonly mute?: readonly ('always' | 'firstSpeech' | 'untilFirstBotComplete' | 'functionCall')[];
  readonly stopTimeoutMs?: number;
  readonly idleMs?: number;
  readonly emptyTurn?: { readonly interrupted?: boolean; readonly idle?: boolean; readonly inARow?: number };
}

/** Section 4: a piece of a model's answer. */
export type AnswerItem =
  | string
  | { readonly wait: number }
  | { readonly call: CallSpec }
  | { readonly error: string }
  | { readonly hang: true };

export interface LLMSpec {
  readonly answers?: readonly (readonly AnswerItem[])[];
  readonly firstMs?: number;
  readonly gapMs?: number;
  readonly parallel?: boolean;
  readonly grouped?: boolean;
}

export interface TTSSpec {
  readonly firstMs?: number;
  readonly wordMs?: number;
  readonly gapMs?: number;
  readonly lastMs?: number;
  readonly wordTimes?: boolean;
  readonly fails?: string;
}

/** What a function does once it has given its result. */
export type ToolAction =
  | { readonly sleep: number }
  | { readonly speak: string }
  | { readonly endTask: true }
  | { readonly throw: string }
  | { readonly result: unknown };

export interface ToolSpec {
  readonly updates?: readonly { readonly afterMs: number; readonly result: unknown }[];
  readonly afterMs?: number;
  readonly throws?: string;
  readonly result?: unknown;
  readonly runLlm?: boolean;
  readonly then?: readonly ToolAction[];
  readonly returnsFirst?: boolean;
  readonly silent?: boolean;
  readonly cancelOnInterruption?: boolean;
  readonly timeoutMs?: number;
}

/** Section 8: a frame that a step queues. */
export interface QueuedSpec {
  readonly frame: string;
  readonly messages?: readonly Message[];
  readonly runLlm?: boolean;
  readonly keepLast?: number;
  readonly tools?: readonly string[];
  readonly skipTts?: boolean;
  readonly timeoutMs?: number;
  readonly text?: string;
  readonly appendToContext?: boolean;
}

/** Section 5. */
export type Step =
  | { readonly user: string; readonly speechMs?: number }
  | { readonly vadStart: true }
  | { readonly vadStop: true }
  | { readonly transcript: string; readonly finalized?: boolean; readonly userId?: string }
  | { readonly interim: string; readonly userId?: string }
  | { readonly speak: string; readonly appendToContext?: boolean }
  | { readonly queue: QueuedSpec; readonly from?: 'llm' }
  | { readonly sleep: number }
  | { readonly waitFor: string; readonly count?: number; readonly at?: string }
  | { readonly mark: string }
  | { readonly end: true }
  | { readonly cancel: true }
  | { readonly waitEnd: true };

/** An event of one half: its name, the text of a turn that stopped, and `interrupted`. */
export type TurnEvent = readonly unknown[];

/** Counts at one moment. */
export interface Counts {
  readonly turnsStarted: number;
  readonly turnsStopped: number;
  readonly idle: number;
  readonly llmRuns: number;
  readonly messages: number;
}

/** What one call's handler saw. */
export interface ToolTrace {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
  readonly saw: readonly string[];
}

export interface RunSpec {
  readonly messages: readonly Message[];
  readonly tools?: readonly string[];
}

export type Lane = 'system' | 'other';

/** Section 6: what must come out exactly; fields that the scenario leaves open are absent. */
export interface Reproduction {
  readonly context?: readonly Message[];
  readonly llmRuns?: readonly RunSpec[];
  readonly user?: readonly TurnEvent[];
  readonly assistant?: readonly TurnEvent[];
  readonly tools?: readonly ToolTrace[];
  readonly marks?: Readonly<Record<string, Partial<Counts>>>;
  readonly frames?: Readonly<Record<string, { readonly [L in Lane]?: readonly string[] }>>;
  readonly ended?: string | null;
  readonly errors?: number;
}

/** A time limit from a moment on: `mark:name` or `tool:id`. */
export interface TimeSpec {
  readonly after: string;
  readonly ms: number;
}

/** A number, or its bounds. */
export type NumberSpec = number | { readonly min?: number; readonly max?: number };

/** Section 7: what must hold; lists are lists of patterns. */
export interface Guarantees {
  readonly context?: readonly unknown[];
  readonly contextHas?: readonly unknown[];
  readonly contextLacks?: readonly unknown[];
  readonly lastRun?: readonly unknown[];
  readonly lastRunHas?: readonly unknown[];
  readonly everyRunLacks?: readonly unknown[];
  readonly llmRuns?: NumberSpec;
  readonly errors?: NumberSpec;
  readonly llmRunWithin?: TimeSpec & { readonly run: number };
  readonly notStarted?: readonly string[];
  readonly finished?: readonly string[];
  readonly cancelled?: readonly string[];
  readonly user?: readonly unknown[];
  readonly userHas?: readonly unknown[];
  readonly assistant?: readonly unknown[];
  readonly assistantHas?: readonly unknown[];
  readonly outputHas?: readonly unknown[];
  readonly outputLacks?: readonly unknown[];
  readonly endsWithin?: TimeSpec;
  readonly endsNotBefore?: TimeSpec;
  readonly ended?: string;
}

interface ScenarioBase {
  readonly name: string;
  readonly about?: string;
  readonly context?: readonly Message[];
  readonly user?: UserSpec;
  readonly ttfsP99Ms?: number;
  readonly llm?: LLMSpec;
  readonly tts?: TTSSpec;
  readonly tools?: Readonly<Record<string, ToolSpec>>;
  readonly advertised?: readonly string[];
  readonly open?: readonly string[];
  readonly limitMs?: number;
  readonly steps: readonly Step[];
}

export interface ReproductionScenario extends ScenarioBase {
  readonly kind?: undefined;
  readonly expect: Reproduction;
}

export interface ImprovementScenario extends ScenarioBase {
  readonly kind: 'improve';
  readonly expect: Guarantees;
}

export type Conversation = ReproductionScenario | ImprovementScenario;
