import { describe, expect, expectTypeOf, it } from 'vitest';
import type { LLMContextOptions } from '../../src/conversation/llm-context.ts';
import { LLMContext } from '../../src/conversation/llm-context.ts';
import { type StandardSchema, tool, validateInput } from '../../src/conversation/tools.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';

/** A schema as validation libraries make them. */
const city: StandardSchema<{ city: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'object' && value !== null && 'city' in value
        ? { value: { city: String(value.city).trim() } }
        : { issues: [{ message: 'city is missing' }] },
  },
};

describe('tools', () => {
  it('infer their input from the schema', () => {
    tool({
      inputSchema: city,
      execute: (input, { signal }) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string }>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        // @ts-expect-error the schema has no such field
        return input.town;
      },
    });
    // @ts-expect-error there is no such role
    const wrong: LLMContextOptions = { messages: [{ role: 'robot', content: 'beep' }] };
    expect(() => new LLMContext(wrong)).toThrow(InvalidOptionError);
  });

  it('have their input checked by the schema, where it can check', async () => {
    expect(await validateInput({ inputSchema: city }, { city: ' Rome ' })).toEqual({
      input: { city: 'Rome' },
    });
    expect(await validateInput({ inputSchema: city }, {})).toEqual({ problem: 'city is missing' });
    expect(await validateInput({ inputSchema: { type: 'object' } }, { any: 1 })).toEqual({
      input: { any: 1 },
    });
  });

  it('are refused by name where they are none', () => {
    expect(() => new LLMContext({ tools: { weather: null as never } })).toThrow(/tools\.weather/);
    expect(() => new LLMContext({ tools: { weather: { execute: 'x' as never } } })).toThrow(
      /tools\.weather\.execute/,
    );
  });
});
