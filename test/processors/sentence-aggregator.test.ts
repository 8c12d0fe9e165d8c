import { describe, expect, it } from 'vitest';
import { InterruptionFrame, UserStartedSpeakingFrame } from '../../src/frames/interruption.ts';
import { StopFrame } from '../../src/frames/lifecycle.ts';
import {
  InterimTranscriptionFrame,
  LLMFullResponseEndFrame,
  LLMTextFrame,
  TextFrame,
} from '../../src/frames/text.ts';
import {
  SentenceAggregator,
  type SentenceAggregatorOptions,
} from '../../src/processors/sentence-aggregator.ts';
import { runTest, SleepFrame } from '../../src/testing/run-test.ts';
import { startPipeline, textsOf } from '../support/start-pipeline.ts';

const wordsOf = (text: string): TextFrame[] => text.split(/(?<= )/).map((word) => new LLMTextFrame(word));

async function sentencesOf(text: string, options?: SentenceAggregatorOptions): Promise<string[]> {
  const { downFrames } = await runTest(new SentenceAggregator(options), { framesToSend: wordsOf(text) });
  return textsOf(downFrames);
}

describe('SentenceAggregator', () => {
  it('joins words into sentences, with the white space behind them', async () => {
    expect(await sentencesOf('Hello, world. How are you? I am fine! ')).toEqual([
      'Hello, world. ',
      'How are you? ',
      'I am fine! ',
    ]);
  });

  it.each([
    ['a number', 'It costs 3.50 euros. Fine.', ['It costs 3.50 euros. ', 'Fine.']],
    ['an abbreviation', 'Take fruit, e.g. an apple. Good.', ['Take fruit, e.g. an apple. ', 'Good.']],
    ['an ellipsis', 'Well... maybe. No?', ['Well... maybe. ', 'No?']],
    ['a new line', 'One\nTwo', ['One\n', 'Two']],
  ])('does not stumble over %s', async (_, text, sentences) => {
    expect(await sentencesOf(text)).toEqual(sentences);
  });

  it('knows the boundaries of other languages', async () => {
    expect(await sentencesOf('你好。我很好。', { locale: 'zh' })).toEqual(['你好。', '我很好。']);
  });

  it('makes plain text frames of all kinds of text', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [new LLMTextFrame('Yes. '), new TextFrame('No.')],
    });
    expect(downFrames.map((frame) => frame.constructor)).toEqual([TextFrame, TextFrame]);
  });

  it('lets the last sentence go when the answer is over', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [...wordsOf('And so on'), new LLMFullResponseEndFrame(), ...wordsOf('Next.')],
    });
    expect(downFrames).toMatchObject([
      { text: 'And so on' },
      expect.any(LLMFullResponseEndFrame),
      { text: 'Next.' },
    ]);
  });

  it('lets the last sentence go before a StopFrame', async () => {
    await runTest(new SentenceAggregator(), {
      framesToSend: [new TextFrame('unfinished'), new StopFrame()],
      sendEndFrame: false,
      expectedDownFrames: [TextFrame, StopFrame],
    });
  });

  it('forgets an unfinished sentence at an interruption', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [
        ...wordsOf('I was about to '),
        new SleepFrame(5),
        new InterruptionFrame(),
        new SleepFrame(5),
        ...wordsOf('Sorry.'),
      ],
    });
    expect(textsOf(downFrames)).toEqual(['Sorry.']);
  });

  it('drops interim transcriptions, and passes everything else', async () => {
    await runTest(new SentenceAggregator(), {
      framesToSend: [new InterimTranscriptionFrame('he'), new UserStartedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame],
    });
  });

  it('passes texts on their way upstream', async () => {
    const { up, task, run } = await startPipeline([new SentenceAggregator()]);
    task.queueFrame(new TextFrame('up'), 'upstream');
    await task.flush();
    task.cancel();
    await run;
    expect(textsOf(up.frames)).toEqual(['up']);
  });
});
