/** A bot in a process of its own, to be killed in every way. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import type { RoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import type { RoomReappearance } from '../../src/rooms/verify-room-gone.ts';
import type { DoomedBotProgram } from './doomed-bot-program.ts';
import type { RestServer } from './room-service.ts';
import { nodeArgs } from './run-typescript.ts';

export type WayToDie =
  | 'abort'
  | 'SIGSEGV'
  | 'SIGQUIT'
  | 'out of memory'
  | 'process.exit'
  | 'uncaught throw'
  | 'unhandled rejection'
  | 'endless loop';

export type BotCommand =
  | { readonly command: 'die'; readonly how: WayToDie }
  | { readonly command: 'block'; readonly ms: number }
  | { readonly command: 'end' | 'cancel' | 'guardian' };

export type BotEvent =
  | { readonly event: 'loading' }
  | { readonly event: 'started' }
  | { readonly event: 'cancelling' }
  | { readonly event: 'outcome'; readonly outcome: RoomDeletionOutcome }
  | { readonly event: 'roomReappeared'; readonly reappearance: RoomReappearance }
  | { readonly event: 'guardian'; readonly pid: number | undefined; readonly armed: boolean };

type EventOf<Name extends BotEvent['event']> = Extract<BotEvent, { event: Name }>;

export interface DoomedBotOptions
  extends Partial<Omit<RoomDeleterOptions, 'rest' | 'logger' | 'scheduler' | 'random'>> {
  readonly server: RestServer;
  readonly roomName: string;
  /** Joins the room there, through a LiveKitTransport; otherwise it stays outside. */
  readonly url?: string;
  /** Instead of the server's own address. */
  readonly apiUrl?: string;
  readonly attemptTimeoutMs?: number;
  /** Whether the runner listens to signals and uncaught errors. Default true. */
  readonly handleProcessEvents?: boolean;
  /** Whether the process goes on when its task is over. Default false. */
  readonly stays?: boolean;
  /** Of a bot that joins. */
  readonly leaseBeatMs?: number;
  /** For so long it stands still in its `setup()`, as one that loads a model does. Default 0. */
  readonly loadMs?: number;
  /** Arguments for Node, such as `--max-old-space-size=64`. */
  readonly execArgv?: readonly string[];
  /** What the bot's environment holds besides. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface BotExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<DoomedBot>();
/** Process ids of guardians that bots have told of. */
const guardians = new Set<number>();

export class DoomedBot implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #events: BotEvent[] = [];
  readonly #watchers = new Set<() => void>();
  /** Settles when the process has ended and its output is whole. */
  readonly exited: Promise<BotExit>;
  /** When it had ended, by the wall clock. */
  endedAt: number = Number.NaN;
  /** Everything it printed. */
  output = '';

  constructor(options: DoomedBotOptions) {
    const { server, url, apiUrl, attemptTimeoutMs, execArgv, env, ...others } = options;
    const { handleProcessEvents = true, stays = false, leaseBeatMs, loadMs = 0, ...room } = others;
    const { apiKey, apiSecret, httpUrl } = server;
    const rest = { apiKey, apiSecret, apiUrl: apiUrl ?? httpUrl, attemptTimeoutMs };
    const how = { handleProcessEvents, stays, leaseBeatMs, loadMs };
    const program: DoomedBotProgram = { rest, url, room, ...how };
    const script = fileURLToPath(new URL('./doomed-bot-program.ts', import.meta.url));
    this.#child = spawn(process.execPath, [...nodeArgs, ...(execArgv ?? []), script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...env, BOT_PROGRAM: JSON.stringify(program) },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    this.#child.on('message', (event: BotEvent) => {
      this.#events.push(event);
      if (event.event === 'guardian' && event.pid !== undefined) guardians.add(event.pid);
      for (const look of [...this.#watchers]) look();
    });
    this.#child.on('error', () => {});
    this.#child.on('exit', () => {
      this.endedAt = performance.timeOrigin + performance.now();
    });
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this);
      for (const look of [...this.#watchers]) look();
      return { code, signal } as BotExit;
    });
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get events(): readonly BotEvent[] {
    return this.#events;
  }

  /** The first such event, also when it came earlier. */
  waitFor<Name extends BotEvent['event']>(name: Name, timeoutMs = 90_000): Promise<EventOf<Name>> {
    return this.#waitFrom(0, name, timeoutMs);
  }

  /** The guardian's process id, once the guardian knows the room. */
  async guardianPid(timeoutMs = 90_000): Promise<number> {
    for (const until = Date.now() + timeoutMs; ; ) {
      const from = this.#events.length;
      this.#send({ command: 'guardian' });
      const { pid, armed } = await this.#waitFrom(from, 'guardian', 30_000);
      if (pid !== undefined && armed) return pid;
      if (Date.now() > until) throw new Error(`the bot has no armed guardian; it printed:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  die(how: WayToDie): void {
    this.#send({ command: 'die', how });
  }

  /** Blocks its event loop. */
  block(ms: number): void {
    this.#send({ command: 'block', ms });
  }

  end(): void {
    this.#send({ command: 'end' });
  }

  cancel(): void {
    this.#send({ command: 'cancel' });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a terminal or a supervisor does it: everybody in the bot's process group gets the signal. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #send(command: BotCommand): void {
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  #waitFrom<Name extends BotEvent['event']>(
    from: number,
    name: Name,
    timeoutMs: number,
  ): Promise<EventOf<Name>> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const fail = (why: string): void => {
        done();
        reject(new Error(`no "${name}" from the bot: ${why}; it printed:\n${this.output}`));
      };
      const look = (): void => {
        const found = this.#events.slice(from).find(({ event }) => event === name);
        if (found !== undefined) {
          done();
          resolve(found as EventOf<Name>);
        } else if (!running.has(this)) fail('it has ended');
      };
      const timer = setTimeout(() => fail(`nothing for ${timeoutMs} ms`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }
}

/** Starts a bot whose task runs and, unless it is not to have one, whose guardian is armed. */
export async function startBot(options: DoomedBotOptions): Promise<DoomedBot> {
  const bot = new DoomedBot(options);
  await bot.waitFor('started');
  if (options.guardian !== false && options.deleteWhen !== 'never') await bot.guardianPid();
  return bot;
}

/** Kills the bots that a test has left behind, and guardians, which go on for minutes where a server has stopped. */
export async function killBots(): Promise<void> {
  await Promise.all([...running].map((bot) => bot[Symbol.asyncDispose]()));
  for (const pid of guardians) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
  guardians.clear();
}
