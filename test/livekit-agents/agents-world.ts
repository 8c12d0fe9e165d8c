import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { roomExists, roomService } from '../support/room-service.ts';
import { nodeArgs } from '../support/run-typescript.ts';
import { joinToken } from '../support/tokens.ts';
import { type FlakyProxy, startFlakyProxy } from './flaky-proxy.ts';

const program = fileURLToPath(new URL('./agent-program.ts', import.meta.url));
const config = { logging: { level: 'error', json: true, pion_level: 'error' } };
/** A job's process loads for seconds, and for many more where every core is busy. */
const slowMs = 150_000;

/** One room with a human in it, and the job that was started for it. */
export interface Call {
  readonly room: string;
  /** Joined first: the one the session talks to. */
  readonly ada: Caller;
  readonly bob: Caller | undefined;
  /** What the job told; see agent-program.ts. */
  readonly told: readonly string[];
  /** Resolves when the job has told it. */
  tells(event: string): Promise<void>;
  /** Whether the room is gone before the time is over. */
  isGoneWithin(limitMs: number): Promise<boolean>;
  /** Puts somebody out of the room, as an administrator does. */
  removes(identity: string): Promise<void>;
  end(): Promise<void>;
}

export interface CallOptions {
  readonly withBob?: boolean;
}

/** A real LiveKit server, and a real worker of `@livekit/agents` beside it. */
export class AgentsWorld implements AsyncDisposable {
  readonly #server: LiveKitServer;
  readonly #proxy: FlakyProxy;
  readonly #worker: ChildProcess;
  readonly #workerEnded: Promise<unknown>;
  readonly #told = new Map<string, string[]>();
  readonly #output: string[] = [];

  static async start(folder: string): Promise<AgentsWorld> {
    const server = await startLiveKitServer({ config });
    const proxy = await startFlakyProxy(server.httpUrl);
    const { apiKey, apiSecret } = server;
    const worker = spawn(process.execPath, [...nodeArgs, program, 'dev', '--log-level', 'info'], {
      env: {
        ...process.env,
        AGENTS_FOLDER: folder,
        LIVEKIT_URL: `ws://127.0.0.1:${proxy.port}`,
        LIVEKIT_API_KEY: apiKey,
        LIVEKIT_API_SECRET: apiSecret,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // a group of its own, which ends with it
      detached: true,
    });
    const world = new AgentsWorld(server, proxy, worker);
    await world.#until(() => world.#output.some((line) => line.includes('registered worker')), 'a worker');
    return world;
  }

  private constructor(server: LiveKitServer, proxy: FlakyProxy, worker: ChildProcess) {
    this.#server = server;
    this.#proxy = proxy;
    this.#worker = worker;
    this.#workerEnded = once(worker, 'exit');
    for (const output of [worker.stdout, worker.stderr]) {
      if (output !== null) createInterface({ input: output }).on('line', (line) => this.#read(line));
    }
  }

  /** Humans join a new room, and a job comes; resolves when its session is running, or when it will never. */
  async call(story: string, cleanup: string, { withBob = false }: CallOptions = {}): Promise<Call> {
    const room = `${story}.${cleanup}.${randomBytes(4).toString('hex')}`;
    const told: string[] = [];
    this.#told.set(room, told);
    const ada = await this.#join(room, 'ada');
    const bob = withBob ? await this.#join(room, 'bob') : undefined;
    await this.#until(() => told.length > 0, `the job of ${room}`);
    return {
      room,
      ada,
      bob,
      told,
      tells: (event) => this.#until(() => told.some((line) => line.startsWith(event)), `${room}: ${event}`),
      isGoneWithin: (limitMs) => this.#isGoneWithin(room, limitMs),
      removes: (identity) => roomService(this.#server).removeParticipant(room, identity),
      end: async () => void (await Promise.all([ada.stop(), bob?.stop()])),
    };
  }

  /** The worker only; the processes of its jobs stay. */
  killWorker(): void {
    this.#worker.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#killGroup();
    await this.#workerEnded;
    await this.#proxy[Symbol.asyncDispose]();
    await this.#server.stop();
  }

  #killGroup(): void {
    try {
      process.kill(-(this.#worker.pid ?? 0), 'SIGKILL');
    } catch {
      // all of them have ended
    }
  }

  async #join(room: string, identity: string): Promise<Caller> {
    const caller = spawnCaller({
      url: this.#server.url,
      token: await joinToken(this.#server, room, identity),
    });
    await caller.waitFor('joined', { timeoutMs: slowMs });
    return caller;
  }

  async #isGoneWithin(room: string, limitMs: number): Promise<boolean> {
    for (const until = Date.now() + limitMs; Date.now() < until; await sleep(50)) {
      if (!(await roomExists(this.#server, room))) return true;
    }
    return false;
  }

  #read(line: string): void {
    this.#output.push(line);
    if (!line.startsWith('{"room"')) return;
    const { room, event } = JSON.parse(line) as { room: string; event: string };
    this.#told.get(room)?.push(event);
  }

  async #until(isTrue: () => boolean, what: string): Promise<void> {
    for (const until = Date.now() + slowMs; Date.now() < until; await sleep(20)) {
      if (isTrue()) return;
    }
    throw new Error(`waited in vain for ${what}; the worker printed:\n${this.#output.slice(-60).join('\n')}`);
  }
}
