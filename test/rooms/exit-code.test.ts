import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { spawnScript } from '../support/run-typescript.ts';
import type { ExitCodeProgram } from './exit-code-program.ts';

const script = fileURLToPath(new URL('./exit-code-program.ts', import.meta.url));

async function exitCodeOf(program: ExitCodeProgram): Promise<number | null> {
  const [code] = await once(spawnScript(script, [JSON.stringify(program)], { stdio: 'inherit' }), 'exit');
  return code;
}

describe('the exit code of a program that ends by itself', () => {
  it.each<ExitCodeProgram>([
    { deletion: 'is refused', by: 'RoomDeleter' },
    { deletion: 'is refused', by: 'deleteRoomOnEnd' },
    { deletion: 'is refused', by: 'deleteRoomOnEnd, of another make' },
    { deletion: 'is refused', by: 'a rejection' },
    { deletion: 'is refused', by: 'RoomDeleter', beside: 'exitCode 0' },
    { deletion: 'is refused', by: 'RoomDeleter', beside: 'process.exit()' },
    { deletion: 'is refused', by: 'RoomDeleter', beside: 'a failed run' },
  ])('is 3 when its room may remain: %o', async (program) => {
    expect(await exitCodeOf(program)).toBe(3);
  });

  it.each<[code: number, ExitCodeProgram]>([
    [0, { deletion: 'works', by: 'RoomDeleter' }],
    [0, { deletion: 'works', by: 'deleteRoomOnEnd, of another make' }],
    [1, { deletion: 'is refused', by: 'RoomDeleter', beside: 'exitCode 1' }],
    [1, { deletion: 'works', by: 'RoomDeleter', beside: 'a failed run' }],
  ])('is %i otherwise: %o', async (code, program) => {
    expect(await exitCodeOf(program)).toBe(code);
  });
});
