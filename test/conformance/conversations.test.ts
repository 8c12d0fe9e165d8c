/**
 * Runs the conversation traces in virtual time: every scenario of every *.json directly in the folder
 * `CONVERSATION_TRACES_DIR`. With `CONVERSATION_TIMELINE=1` a failure also shows all that happened, with its time.
 */

import { describe, it } from 'vitest';
import { useVirtualTime } from '../support/fake-time.ts';
import { checkConversation } from './conversation/check-conversation.ts';
import { runConversation } from './conversation/run-conversation.ts';
import type { Conversation } from './conversation/scenario.ts';
import { expectNoProblems, readTraces } from './trace-files.ts';

const files = readTraces<Conversation>('conversation-traces', process.env.CONVERSATION_TRACES_DIR);

describe.each(files.map((file) => [file.group, file] as const))('%s', (_, { scenarios }) => {
  useVirtualTime();

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    const recording = await runConversation(scenario);
    const problems = checkConversation(scenario, recording);
    if (problems.length > 0 && process.env.CONVERSATION_TIMELINE)
      problems.push(recording.timeline.join('\n'));
    expectNoProblems(scenario, problems);
  });
});
