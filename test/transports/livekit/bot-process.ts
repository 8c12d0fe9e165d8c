import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { spawnScript } from '../../support/run-typescript.ts';

export interface BotProcess {
  /** Resolves with the first fact of that name. */
  told(name: string): Promise<unknown>;
  /** Everything it printed, on either side. */
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  /** When it said that it was done, and when it was gone, in milliseconds of this process. */
  readonly times: { doneMs: number; exitMs: number };
  kill(signal: NodeJS.Signals): void;
}

/** Starts bot-program.ts with the credentials in its environment, as a container would. */
export function startBotProcess(
  server: Pick<LiveKitServer, 'url' | 'apiKey' | 'apiSecret'>,
  ...args: readonly string[]
): BotProcess {
  const program = fileURLToPath(new URL('./bot-program.ts', import.meta.url));
  const { PATH, HOME } = process.env;
  const child = spawnScript(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME,
      NODE_ENV: 'production',
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret,
    },
  });
  let output = '';
  const times = { doneMs: Number.NaN, exitMs: Number.NaN };
  const watchers = new Set<() => void>();
  const more = (text: Buffer): void => {
    output += text;
    if (Number.isNaN(times.doneMs) && output.includes('"done"')) times.doneMs = performance.now();
    for (const look of watchers) look();
  };
  child.stdout?.on('data', more);
  child.stderr?.on('data', more);
  const exited = once(child, 'close').then(([code]) => {
    times.exitMs = performance.now();
    for (const look of watchers) look();
    return code as number | null;
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const find = (name: string): unknown => {
    for (const line of output.split('\n')) {
      if (line.startsWith(`{"${name}"`)) return (JSON.parse(line) as Record<string, unknown>)[name];
    }
    return undefined;
  };
  return {
    told: (name) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const value = find(name);
          if (value === undefined && Number.isNaN(times.exitMs)) return;
          watchers.delete(look);
          if (value === undefined) reject(new Error(`No "${name}" from the bot. It printed:\n${output}`));
          else resolve(value);
        };
        watchers.add(look);
        look();
      }),
    output: () => output,
    exited,
    times,
    kill: (signal) => void child.kill(signal),
  };
}
