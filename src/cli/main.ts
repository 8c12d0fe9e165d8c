#!/usr/bin/env node
/** The command line: `endframe <command>`. */

interface Command {
  readonly about: string;
  /** @returns The exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  demo: {
    about: 'two calls against a real LiveKit server: one ended by EndFrame, one by CancelFrame',
    run: async () => (await import('./demo.ts')).demo(),
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

function usage(): string {
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`);
  return `endframe <command>\n\n${lines.join('\n')}\n`;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command.run(args);
  const asked = name === undefined || name === 'help' || name === '--help' || name === '-h';
  process[asked ? 'stdout' : 'stderr'].write(asked ? usage() : `Unknown command "${name}".\n\n${usage()}`);
  return asked ? 0 : 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    process.exitCode = 1;
  },
);
