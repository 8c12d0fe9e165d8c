import { describe, expect, it } from 'vitest';
import { type SupervisedProcess, startSupervised } from '../../src/testing/supervised-process.ts';
import { diesWithin } from '../support/is-alive.ts';

const env = { PATH: process.env.PATH };

function node(script: string, onLine?: (line: string) => void): Promise<SupervisedProcess> {
  return startSupervised(process.execPath, ['-e', script], { env, ...(onLine && { onLine }) });
}

describe('startSupervised', () => {
  it('hands on the output of both streams, and how it ended', async () => {
    const lines: string[] = [];
    const program = await node('console.log("out"); console.error("err"); process.exitCode = 7', (line) =>
      lines.push(line),
    );
    expect(await program.exited).toMatchObject({ code: 7, signal: null });
    expect(lines.sort()).toEqual(['err', 'out']);
  });

  it('gives the program only the environment it was given', async () => {
    const { exited } = await startSupervised(process.execPath, ['-p', 'JSON.stringify(process.env)'], {
      env: { ONLY: 'this' },
    });
    expect(JSON.parse((await exited).tail)).toMatchObject({ ONLY: 'this' });
    expect((await exited).tail).not.toContain('PATH');
  });

  it('rejects when the program cannot be started', async () => {
    await expect(startSupervised('/no/such/program', [], { env })).rejects.toThrow(/ENOENT/);
  });

  it('kills the program and its children', async () => {
    const children: string[] = [];
    const program = await node(
      'console.log(require("node:child_process").spawn("sleep", ["60"]).pid); setInterval(() => {}, 1000)',
      (line) => children.push(line),
    );
    await expect.poll(() => children).toHaveLength(1);
    await program.kill();
    expect(await program.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await diesWithin(Number(children[0]), 2_000)).toBe(true);
    await program.kill();
  });
});
