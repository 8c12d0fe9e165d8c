import { describe, expect, it, vi } from 'vitest';
import { HeardSentence } from '../../src/conversation/heard-words.ts';
import { joinText } from '../../src/conversation/join-text.ts';
import { useFakeTime } from '../support/fake-time.ts';

function sentence(text: string, durationMs: number, isComplete = true) {
  const fields = { contextId: 'a', appendToContext: true, isUninterruptible: false, hasWordTimes: false };
  return new HeardSentence({ text, durationMs, isComplete, ...fields });
}

describe('HeardSentence', () => {
  useFakeTime();

  it.each([
    [0, ''],
    [100, 'One'],
    [500, 'One two three'],
    [980, 'One two three four five.'],
    [1_000, 'One two three four five.'],
  ])('has spoken, after %i of 1,000 ms: %s', (heardMs, words) => {
    const heard = sentence('One two three four five.', 1_000);
    heard.add(heardMs);
    expect(heard.words).toBe(words);
  });

  it('does not take the audio so far for the whole of a sentence that is still synthesized, unless it pauses', () => {
    const heard = sentence('This is a rather long sentence, of which the beginning is there.', 200, false);
    heard.add(200);
    expect(heard.words).toBe('This');
    vi.advanceTimersByTime(150);
    expect(heard.words).toContain('is there.');
  });
});

describe('joinText()', () => {
  const tokens = (...texts: string[]) => texts.map((text) => ({ text, includesInterFrameSpaces: true }));
  const words = (...texts: string[]) => texts.map((text) => ({ text, includesInterFrameSpaces: false }));

  it.each([
    [tokens('Hello ', 'from ', 'Pipecat!'), 'Hello from Pipecat!'],
    [words('Hello', 'Pipecat.', 'How are', 'you?'), 'Hello Pipecat. How are you?'],
    [[...tokens('Hello'), ...words('there')], 'Hello there'],
    [[...tokens('Hello '), ...words('there')], 'Hello there'],
    [words('今日は', '良い天気です。', '散歩しましょう。'), '今日は良い天気です。散歩しましょう。'],
    [[], ''],
  ])('makes of %j: %s', (parts, text) => {
    expect(joinText(parts)).toBe(text);
  });
});
