/** The options of the user half: `conversation-traces/README.md`, section 3. */

import {
  AlwaysUserMuteStrategy,
  deferred,
  ExternalUserTurnStartStrategy,
  ExternalUserTurnStopStrategy,
  FirstSpeechUserMuteStrategy,
  FunctionCallUserMuteStrategy,
  type LLMUserAggregatorOptions,
  MinWordsUserTurnStartStrategy,
  MuteUntilFirstBotCompleteUserMuteStrategy,
  SpeechTimeoutUserTurnStopStrategy,
  TranscriptionUserTurnStartStrategy,
  type TurnAnalyzer,
  TurnAnalyzerUserTurnStopStrategy,
  type UserMuteStrategy,
  type UserTurnStartStrategy,
  type UserTurnStopStrategy,
  VADUserTurnStartStrategy,
} from '../../../src/conversation.ts';
import type { StartSpec, StopSpec, UserSpec } from './scenario.ts';

/** The options, with the defaults of the scenarios. */
export function userOptions(spec: UserSpec = {}): LLMUserAggregatorOptions {
  const { start = [{ type: 'vad' }, { type: 'transcription' }], stop = [{ type: 'speechTimeout' }] } = spec;
  return {
    turns: { start: start.map(startStrategy), stop: stop.map(stopStrategy) },
    mute: (spec.mute ?? []).map((type) => new muteStrategies[type]()),
    turnStopTimeoutMs: spec.stopTimeoutMs ?? 5_000,
    idleTimeoutMs: spec.idleMs ?? 0,
    emptyTurn: { interrupted: true, idle: false, inARow: 1, ...spec.emptyTurn },
  };
}

function startStrategy(spec: StartSpec): UserTurnStartStrategy {
  const { type, minWords = 1, useInterim = true, interrupts = true } = spec;
  switch (type) {
    case 'vad':
      return new VADUserTurnStartStrategy({ interrupts });
    case 'transcription':
      return new TranscriptionUserTurnStartStrategy({ useInterim, interrupts });
    case 'minWords':
      return new MinWordsUserTurnStartStrategy({ minWords, useInterim, interrupts });
    case 'external':
      return new ExternalUserTurnStartStrategy({ interrupts });
    default:
      throw new Error(`The traces know no start strategy "${type satisfies never}"`);
  }
}

function stopStrategy(spec: StopSpec): UserTurnStopStrategy {
  const strategy = plainStopStrategy(spec);
  return spec.deferred === true ? deferred(strategy) : strategy;
}

function plainStopStrategy(spec: StopSpec): UserTurnStopStrategy {
  const { type, timeoutMs, waitForTranscript = true, verdicts = [] } = spec;
  switch (type) {
    case 'speechTimeout':
      return new SpeechTimeoutUserTurnStopStrategy({ timeoutMs: timeoutMs ?? 100, waitForTranscript });
    case 'external':
      return new ExternalUserTurnStopStrategy({ timeoutMs: timeoutMs ?? 500, waitForTranscript });
    case 'turnAnalyzer':
      return new TurnAnalyzerUserTurnStopStrategy({
        analyzer: new ScriptedAnalyzer(verdicts),
        waitForTranscript,
      });
    default:
      throw new Error(`The traces know no stop strategy "${type satisfies never}"`);
  }
}

const muteStrategies: Readonly<Record<NonNullable<UserSpec['mute']>[number], new () => UserMuteStrategy>> = {
  always: AlwaysUserMuteStrategy,
  firstSpeech: FirstSpeechUserMuteStrategy,
  untilFirstBotComplete: MuteUntilFirstBotCompleteUserMuteStrategy,
  functionCall: FunctionCallUserMuteStrategy,
};

/** Says what the scenario has it say, one verdict for each end of speech; afterwards always `complete`. */
class ScriptedAnalyzer implements TurnAnalyzer {
  readonly #verdicts: NonNullable<StopSpec['verdicts']>[number][];

  constructor(verdicts: NonNullable<StopSpec['verdicts']>) {
    this.#verdicts = [...verdicts];
  }

  appendAudio(): void {}

  async analyze(): Promise<{ isComplete: boolean; probability: number }> {
    const isComplete = (this.#verdicts.shift() ?? 'complete') === 'complete';
    return { isComplete, probability: isComplete ? 0.9 : 0.1 };
  }

  reset(): void {}
}
