/** Compares a recording with what its scenario expects. */

import { checkGuarantees } from './check-guarantees.ts';
import { checkReproduction } from './check-reproduction.ts';
import type { ConversationRecording } from './recorder.ts';
import type { Conversation } from './scenario.ts';

/** @returns Everything that is not as it should be, each a paragraph; empty when all is well. */
export function checkConversation(scenario: Conversation, recording: ConversationRecording): string[] {
  const problems =
    scenario.kind === 'improve'
      ? checkGuarantees(scenario, recording)
      : checkReproduction(scenario, recording);
  return [...recording.troubles, ...problems];
}
