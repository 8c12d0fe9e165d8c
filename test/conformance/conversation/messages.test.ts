import { describe, expect, it } from 'vitest';
import type { LLMToolCall } from '../../../src/frames/llm.ts';
import { makeMessage, readMessages, splitCalls } from './messages.ts';
import type { Message } from './scenario.ts';

const call = (id: string): object => ({ id, name: 'look', arguments: { at: id } });

describe('readMessages', () => {
  it.each<Message>([
    { system: 'Be brief.' },
    { user: 'hello' },
    { assistant: 'Hello.' },
    { developer: 'Greet the guest.' },
    { calls: [call('a')] },
    { tool: 'a', result: { sky: 'blue' } },
    { tool: 'a', result: false },
    { tool: 'a', result: 'CANCELLED' },
    { tool: 'a', state: 'running' },
    { tool: 'a', state: 'cancelled' },
    { tool: 'a', state: 'done' },
    { tool: 'a', state: 'failed' },
    { tool: 'a', state: 'unknown' },
    { developer: { kind: 'emptyTurn' } },
    { developer: { kind: 'lateResult', id: 'a', result: [1] } },
    { developer: { kind: 'lateCancel', id: 'a' } },
    { developer: { kind: 'progress', id: 'a', result: null } },
  ])('reads what makeMessage() makes: %j', (message) => {
    expect(readMessages([makeMessage(message)])).toEqual([message]);
  });

  it('reads a text with calls as two messages', () => {
    const { tool_calls = [] } = makeMessage({ calls: [call('a')] }) as {
      tool_calls?: readonly LLMToolCall[];
    };
    expect(readMessages([{ role: 'assistant', content: 'One moment.', tool_calls }])).toEqual([
      { assistant: 'One moment.' },
      { calls: [call('a')] },
    ]);
    expect(readMessages([{ role: 'assistant', content: null, tool_calls }])).toEqual([
      { calls: [call('a')] },
    ]);
  });

  it('shows a tool message as it is where it is neither a state nor JSON', () => {
    expect(readMessages([{ role: 'tool', tool_call_id: 'a', content: 'oh no' }])).toEqual([
      { tool: 'a', result: 'oh no' },
    ]);
  });
});

describe('splitCalls', () => {
  const [a, b] = [
    { tool: 'a', result: 1 },
    { tool: 'b', state: 'running' },
  ];
  const split = [{ calls: [call('a')] }, a, { calls: [call('b')] }, b];

  it.each([
    ['in order', [{ calls: [call('a'), call('b')] }, a, b]],
    ['in another order', [{ calls: [call('a'), call('b')] }, b, a]],
    ['that are split already', split],
  ])('puts each call before its tool message: messages %s', (_, messages) => {
    const around = [{ user: 'hello' }, ...messages, { assistant: 'Hello.' }];
    expect(splitCalls<unknown>(around)).toEqual([{ user: 'hello' }, ...split, { assistant: 'Hello.' }]);
  });

  it('leaves tool messages of other calls where they are', () => {
    const other = { tool: 'c', result: 3 };
    expect(splitCalls<unknown>([{ calls: [call('a'), call('b')] }, a, other, b])).toEqual([
      { calls: [call('a')] },
      a,
      { calls: [call('b')] },
      other,
      b,
    ]);
  });

  it('leaves patterns alone', () => {
    expect(splitCalls(['*', { calls: '*' }])).toEqual(['*', { calls: '*' }]);
  });
});
