import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

const program = `
process.stdin.on('end', () => process.exit()).resume();
setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 0);
`;

/** Keeps every core busy, until it is disposed of or this process ends, whatever its end. */
export function startBurners() {
  const burners = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  return {
    stop: () => {
      for (const burner of burners) burner.kill();
    },
  };
}
