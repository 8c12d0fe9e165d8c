#!/usr/bin/env node
/** The command line: `endframe <command>`. */

import { readFileSync } from 'node:fs';
import { EndframeError, errorMessage } from '../lib/errors.ts';
import { writeOrDrop } from '../lib/logger.ts';
import { hintAtHelp, unknownName } from './usage.ts';

interface Command {
  readonly about: string;
  /** @returns The exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  demo: {
    about: 'two calls against a real LiveKit server: one ended by EndFrame, one by CancelFrame',
    run: async (args) => (await import('./demo-command.ts')).demoCommand(args),
  },
  run: {
    about: 'a bot in a container, whose guardian outlives it',
    run: async (args) => (await import('./run.ts')).runCommand(args),
  },
  sweep: {
    about: 'rooms whose bot died: lists them, deletes them with --yes',
    run: async (args) => (await import('./sweep.ts')).sweepCommand(args),
  },
};
const helpWords = ['help', '--help', '-h'];
const versionWords = ['--version', '-v'];

function usage(): string {
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`);
  return `endframe <command>\n\n${lines.join('\n')}\n\nMore by: endframe <command> --help, endframe --version\n`;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return `${(JSON.parse(manifest) as { version: string }).version}\n`;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === 'help' && args[0] !== undefined) return main([...args, '--help']);
  if (name === undefined || helpWords.includes(name)) {
    writeOrDrop(process.stdout, usage());
    return 0;
  }
  if (versionWords.includes(name)) {
    writeOrDrop(process.stdout, version());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command.run(args);
  const [what, known] = name.startsWith('-')
    ? ['option', ['--help', '--version']]
    : ['command', Object.keys(commands)];
  writeOrDrop(process.stderr, hintAtHelp(unknownName(what, name, known)));
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // endframe's own errors need no stack
    const isPlain = error instanceof EndframeError || !(error instanceof Error);
    writeOrDrop(process.stderr, `${isPlain ? errorMessage(error) : (error.stack ?? error.message)}\n`);
    process.exitCode = 1;
  },
);
