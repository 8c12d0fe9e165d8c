/** The sweepers of a random fault run: processes that are killed, frozen, and started again. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChaosSweeperProgram } from './chaos-sweeper-program.ts';
import { spawnScript } from './run-typescript.ts';
import type { Keys } from './tokens.ts';

export const chaosPrefix = 'chaos-';
/** Shortened, but for a machine that may not run somebody for a second: a look is void after two polls. */
export const sweeperLimits = { pollMs: 2_000, leaseTtlMs: 6_000, graceMs: 6_000 };

const commandLine = fileURLToPath(new URL('../sweeper/sweep-program.ts', import.meta.url));
const hinted = fileURLToPath(new URL('./chaos-sweeper-program.ts', import.meta.url));

export class ChaosSweeper {
  /** Everything it has printed, in all its lives. */
  output = '';
  readonly #spawn: () => ChildProcess;
  #child: ChildProcess | undefined;

  private constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[];
    this.#spawn = () => spawnScript(script, args, { env: { ...process.env, ...env }, stdio });
  }

  /** `endframe sweep`. */
  static ofCommandLine(url: string, keys: Keys): ChaosSweeper {
    const { pollMs, leaseTtlMs, graceMs } = sweeperLimits;
    const limits = Object.entries({ poll: pollMs, ttl: leaseTtlMs, grace: graceMs });
    const args = limits.flatMap(([name, ms]) => [`--${name}`, String(ms / 1_000)]);
    const what = ['--match', chaosPrefix, '--watch', '--yes', '--json'];
    return new ChaosSweeper(commandLine, [...what, ...args], surroundings(url, keys));
  }

  /** One that hears of rooms by webhooks, too. */
  static withHints(url: string, keys: Keys, port: number): ChaosSweeper {
    const program: ChaosSweeperProgram = { options: { prefix: chaosPrefix, ...sweeperLimits }, port };
    return new ChaosSweeper(hinted, [], { ...surroundings(url, keys), SWEEPER: JSON.stringify(program) });
  }

  /** Resolves when it has made its first pass. */
  async start(): Promise<void> {
    const child = this.#spawn();
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk) => {
        this.output += chunk;
      });
    }
    if (child.stdout !== null) await once(child.stdout, 'data');
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

function surroundings(url: string, { apiKey, apiSecret }: Keys): NodeJS.ProcessEnv {
  return { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
}
