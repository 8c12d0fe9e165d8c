import { describe, expect, it } from 'vitest';
import { useVirtualTime } from '../../support/fake-time.ts';
import { readTraces } from '../trace-files.ts';
import { runConversation } from './run-conversation.ts';
import type { Conversation } from './scenario.ts';

const files = readTraces<Conversation>('conversation-traces', process.env.CONVERSATION_TRACES_DIR);

describe.each(files.map((file) => [file.group, file] as const))('the scenarios of %s', (_, { scenarios }) => {
  useVirtualTime();

  it('come out the same again, to the millisecond', async () => {
    for (const scenario of scenarios) {
      const { timeline } = await runConversation(scenario);
      expect(timeline).not.toEqual([]);
      expect((await runConversation(scenario)).timeline).toEqual(timeline);
    }
  });
});
