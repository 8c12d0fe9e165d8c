import { describe, it } from 'vitest';
import { UserStartedSpeakingFrame, UserStoppedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';

describe('IdentityFilter', () => {
  it('passes system frames', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [new UserStartedSpeakingFrame(), new UserStoppedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame, UserStoppedSpeakingFrame],
      expectedUpFrames: [],
    });
  });

  it('passes frames upstream', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [new TextFrame('a')],
      framesToSendDirection: 'upstream',
      expectedDownFrames: [],
      expectedUpFrames: [TextFrame],
    });
  });
});
