/** Many calls in one process, in the short; `npm run calls` makes a hundred of them, and ten at once for a minute. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { spawnScript } from '../support/run-typescript.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** Runs it to its end, which has to come by itself. @returns Its exit code, and what it has measured. */
async function run(program: string, ...args: readonly string[]) {
  const file = fileURLToPath(new URL(`../bench/${program}`, import.meta.url));
  const child = spawnScript(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  // the SDK's own lines are JSON
  const figures = output.replace(/^\{.*\n/gm, '');
  console.info(figures);
  return { code, figures };
}

describe('many calls in one process', () => {
  it('two at once end in order, and leave no room and no memory behind', async () => {
    const { code, figures } = await run('calls-at-once.ts', '2', '5', `${promised(0.9, 0.5)}`);
    expect(figures).not.toContain('MISSED');
    expect(code).toBe(0);
  });

  it('three in a row leave no room, no handle, no timer and no listener behind', async () => {
    const { code, figures } = await run('calls-in-a-row.ts', '3');
    expect(figures).not.toContain('MISSED');
    expect(code).toBe(0);
  });
});
