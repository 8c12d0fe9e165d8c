import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ownFile } from '../../src/lib/own-file.ts';

const { prepareStackTrace, stackTraceLimit } = Error;

describe('ownFile', () => {
  afterEach(() => Object.assign(Error, { prepareStackTrace, stackTraceLimit }));

  it('is the file of the module, and leaves stacks as they were', () => {
    const prepare = () => 'a stack';
    Error.prepareStackTrace = prepare;
    expect(ownFile()).toBe(fileURLToPath(new URL('../../src/lib/own-file.ts', import.meta.url)));
    expect(Error.prepareStackTrace).toBe(prepare);
  });

  it('is unknown where stacks are switched off', () => {
    Error.stackTraceLimit = 0;
    expect(ownFile()).toBeUndefined();
  });
});
