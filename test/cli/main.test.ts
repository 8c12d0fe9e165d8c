import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeArgs } from '../support/run-typescript.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

/** `endframe ...args`. */
function endframe(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeArgs, main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return { status, stdout, stderr };
}

describe('endframe', () => {
  it.each(['--version', '-v'])('tells its version by %s', (option) => {
    expect(endframe(option)).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[], ['help'], ['--help'], ['-h']])('explains itself by %j', (...args) => {
    const { status, stdout, stderr } = endframe(...args);
    expect([status, stderr]).toEqual([0, '']);
    for (const command of ['demo', 'run', 'sweep']) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each([
    ['demo', '--help'],
    ['demo', '-h'],
    ['help', 'demo'],
    ['run', '--help'],
    ['run', '-h'],
    ['sweep', '--help'],
    ['sweep', '-h', '--match', 'a'],
  ])('explains a command, and does not run it, by %s %s', (...args) => {
    const { status, stdout, stderr } = endframe(...args);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^endframe ${args.find((arg) => /^[drs]/.test(arg))}`));
  });

  it.each([
    [['swep'], 'Unknown command "swep". Did you mean "sweep"?', ''],
    [['dmeo'], 'Unknown command "dmeo". Did you mean "demo"?', ''],
    [['constructor'], 'Unknown command "constructor".', ''],
    [['__proto__'], 'Unknown command "__proto__".', ''],
    [['--versoin'], 'Unknown option "--versoin". Did you mean "--version"?', ''],
    [['demo', '--halp'], 'Unknown option "--halp". Did you mean "--help"?', 'demo '],
    [
      ['demo', 'twice'],
      "Unexpected argument 'twice'. This command does not take positional arguments",
      'demo ',
    ],
    [['run'], 'A command to run is missing.', 'run '],
    [['run', '--hepl', 'node'], 'Unknown option "--hepl". Did you mean "--help"?', 'run '],
    [['sweep', '--mach', 'a'], 'Unknown option "--mach". Did you mean "--match"?', 'sweep '],
    [['sweep', '--match'], "Option '--match <value>' argument missing", 'sweep '],
    [['sweep', '--match', '-x'], "Option '--match' argument is ambiguous.", 'sweep '],
    [['sweep'], 'Option "--match" must be given, and not empty', 'sweep '],
  ])('says in two lines what is wrong with %j', (args, wrong, command) => {
    expect(endframe(...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: `${wrong}\nMore by: endframe ${command}--help\n`,
    });
  });

  it('says in one line what is missing in the environment', () => {
    const { status, stderr } = endframe('sweep', '--match', 'a');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^.*LIVEKIT_URL.*\n$/);
  });
});
