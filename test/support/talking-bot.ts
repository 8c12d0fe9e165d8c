/** Bots in processes of their own, for tests of signals, exit codes and what others see of them. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnScript } from './run-typescript.ts';
import type { Keys } from './tokens.ts';

/** For talking-bot-program.ts; no secrets, they are seen on the command line. */
export interface BotOptions {
  readonly roomName: string;
  readonly identity: string;
  /** Where the room is deleted, if not where it is joined. */
  readonly apiUrl?: string;
  /** Default false: what is deleted is deleted by the bot itself. */
  readonly guardian?: boolean;
  readonly onSignal?: 'cancel' | 'end';
  /** What it does at SIGUSR2. */
  readonly whenAsked?:
    | { readonly does: 'say' | 'sayAndEnd'; readonly ms: number }
    | { readonly does: 'throw' | 'reject' };
}

/** What a bot tells; `at` is wall clock, milliseconds since 1970 with fractions. */
export interface BotEvent {
  readonly event: string;
  readonly at: number;
  readonly [fact: string]: unknown;
}

export interface BotExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A bot's process, seen from the one that started it. */
export class Bot implements AsyncDisposable {
  readonly events: BotEvent[] = [];
  /** Settles when the process is gone and has told everything; never rejects. */
  readonly exited: Promise<BotExit>;
  readonly #process: ChildProcess;
  #output = '';
  #hasExited = false;
  #waiting: (() => void)[] = [];

  constructor(server: Keys & { readonly url: string }, options: BotOptions) {
    const { url: LIVEKIT_URL, apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = server;
    this.#process = spawnScript(program, [JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET },
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('the bot has no output');
    for (const stream of [stdout, stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
    // a bot that never ends fails its test, and does not outlive it
    const tooLong = setTimeout(() => this.#process.kill('SIGKILL'), longestLifeMs);
    this.exited = once(this.#process, 'close').then(([code, signal]) => {
      clearTimeout(tooLong);
      this.#hasExited = true;
      this.#changed();
      return { code, signal };
    });
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output;
  }

  /**
   * Resolves with the first such event, also when it came earlier.
   *
   * @throws {Error} It exited without it; the text tells what it printed.
   */
  async has(event: string, facts: Readonly<Record<string, unknown>> = {}): Promise<BotEvent> {
    for (;;) {
      const found = this.#find(event, facts);
      if (found !== undefined) return found;
      if (this.#hasExited) throw new Error(`The bot exited without "${event}". It printed:\n${this.#output}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** @returns When it was sent. */
  signal(signal: NodeJS.Signals): number {
    this.#process.kill(signal);
    return now();
  }

  /** Asks for what `whenAsked` says. */
  ask(): number {
    return this.signal('SIGUSR2');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  #find(event: string, facts: Readonly<Record<string, unknown>>): BotEvent | undefined {
    const wanted = Object.entries(facts);
    return this.events.find((one) => one.event === event && wanted.every(([name, is]) => one[name] === is));
  }

  #read(line: string): void {
    this.#output += `${line}\n`;
    if (!line.startsWith('{"event"')) return;
    this.events.push(JSON.parse(line));
    this.#changed();
  }

  #changed(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

const longestLifeMs = 90_000;
const program = fileURLToPath(new URL('./talking-bot-program.ts', import.meta.url));

/** The same clock in every process of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
