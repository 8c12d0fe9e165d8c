import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { PipelineRunner } from '../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { promised } from '../support/promised.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { Recorder } from './faults.ts';
import type { ProgramOptions } from './runner-program.ts';

const program = fileURLToPath(new URL('./runner-program.ts', import.meta.url));

interface Told {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** The program in a process of its own. */
class Program {
  readonly told: Told[] = [];
  readonly stderr: string[] = [];
  readonly #process: ChildProcess;
  readonly #exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  #waiting: (() => void)[] = [];

  constructor(scenario: string, options: ProgramOptions = {}) {
    this.#process = spawnScript(program, [scenario, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('the program has no output');
    stderr.on('data', (text) => this.stderr.push(String(text)));
    createInterface({ input: stdout }).on('line', (line) => {
      this.told.push(JSON.parse(line));
      for (const look of this.#waiting.splice(0)) look();
    });
    this.#exit = once(this.#process, 'close').then(([code, signal]) => ({ code, signal }));
  }

  async has(event: string): Promise<void> {
    while (!this.told.some((one) => one.event === event)) {
      const more = new Promise<void>((resolve) => this.#waiting.push(resolve));
      const end = await Promise.race([more, this.#exit]);
      if (end !== undefined && !this.told.some((one) => one.event === event)) {
        throw new Error(`it exited without "${event}": ${JSON.stringify(this.told)} ${this.stderr.join('')}`);
      }
    }
  }

  async signalled(signal: NodeJS.Signals): Promise<void> {
    await this.has('started');
    this.#process.kill(signal);
  }

  async exitCode(): Promise<number | null> {
    const { code, signal } = await this.#exit;
    if (signal !== null) throw new Error(`it was killed by ${signal}`);
    return code;
  }

  get events(): readonly string[] {
    return this.told.map(({ event }) => event);
  }

  fact(event: string): Told | undefined {
    return this.told.find((one) => one.event === event);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

const programs: Program[] = [];
afterAll(() => {
  for (const one of programs.splice(0)) one.kill();
});

function start(scenario: string, options?: ProgramOptions): Program {
  const started = new Program(scenario, options);
  programs.push(started);
  return started;
}

const orderly = ['hook', 'hookDone', 'cleanup'];

describe.concurrent('a process with a PipelineRunner', () => {
  it('exits by itself when its task has ended, with code 0', async () => {
    const bot = start('ends');
    expect(await bot.exitCode()).toBe(0);
    expect(bot.fact('results')).toMatchObject({ reasons: ['ended'], forced: [false] });
    expect(bot.fact('hook')).toMatchObject({ reason: 'ended' });
  });

  it('exits by itself when its task was cancelled, with code 0', async () => {
    const bot = start('cancels');
    expect(await bot.exitCode()).toBe(0);
    expect(bot.fact('results')).toMatchObject({ reasons: ['cancelled'] });
  });

  it('exits by itself although a frame never finishes', async () => {
    const bot = start('ends', { frameMs: null, task: { endStallTimeoutMs: 200 } });
    expect(await bot.exitCode()).toBe(0);
    expect(bot.fact('results')).toMatchObject({ reasons: ['ended'], forced: [true] });
  });

  it('exits by itself at once when a setup that never ends was cancelled', async () => {
    const bot = start('cancelsEarly', { hangsInSetup: true });
    await bot.has('results');
    const startedMs = performance.now();
    expect(await bot.exitCode()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(promised(1_000));
  });

  // rows O and Q
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('cancels at %s and exits with code 0', async (signal) => {
    const bot = start('waits', { frameMs: -1 });
    await bot.signalled(signal);
    expect(await bot.exitCode()).toBe(0);
    expect(bot.fact('hook')).toMatchObject({ reason: 'cancelled' });
    expect(bot.events.filter((event) => orderly.includes(event)).toSorted()).toEqual(orderly.toSorted());
    expect(bot.fact('results')).toMatchObject({ reasons: ['cancelled'] });
  });

  it('deletes its room at a signal and exits with code 0, whatever waits in front of a processor that hangs', async () => {
    const credentials = { apiKey: 'devkey', apiSecret: 'a-secret-of-at-least-32-characters' };
    const server = await FakeLiveKitServer.start(credentials);
    try {
      server.createRoom('hung');
      const bot = start('waits', {
        waitingSound: 1_000,
        room: { roomName: 'hung', rest: { ...credentials, apiUrl: server.httpUrl } },
        task: { cancelTimeoutMs: 500 },
      });
      await bot.signalled('SIGTERM');
      expect(await bot.exitCode()).toBe(0);
      expect(bot.events).toEqual(expect.arrayContaining(orderly));
      expect(bot.fact('results')).toMatchObject({ reasons: ['cancelled'], forced: [true] });
      expect(server.rooms).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  it('has taken its handlers away when run() has settled', async () => {
    const bot = start('waits');
    await bot.signalled('SIGTERM');
    await bot.exitCode();
    expect(bot.fact('listeners')).toMatchObject({ left: [] });
  });

  it("drains at a signal with onSignal: 'end'", async () => {
    const bot = start('waits', { frameMs: 600, runner: { onSignal: 'end' } });
    await bot.signalled('SIGTERM');
    expect(await bot.exitCode()).toBe(0);
    expect(bot.fact('played')).toMatchObject({ text: 'hello' });
    expect(bot.fact('results')).toMatchObject({ reasons: ['ended'], forced: [false] });
  });

  // row P
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'does not wait for its exit hooks at a second %s, and exits with code %i',
    async (signal, code) => {
      const bot = start('waits', { hookMs: -1, runner: { shutdownBudgetMs: 60_000 } });
      await bot.signalled(signal);
      await bot.has('hook');
      await bot.signalled(signal);
      expect(await bot.exitCode()).toBe(code);
    },
  );

  it("cancels at a second signal with onSignal: 'end'", async () => {
    const bot = start('waits', { frameMs: -1, runner: { onSignal: 'end' } });
    await bot.signalled('SIGINT');
    await bot.has('entered EndFrame');
    expect(bot.events).not.toContain('hook');
    await bot.signalled('SIGINT');
    expect(await bot.exitCode()).toBe(130);
    expect(bot.fact('hook')).toMatchObject({ reason: 'cancelled' });
  });

  it.each(['throws', 'rejects'])('cleans up and exits with code 1 when its code %s', async (scenario) => {
    const bot = start(scenario);
    expect(await bot.exitCode()).toBe(1);
    expect(bot.events.filter((event) => orderly.includes(event)).toSorted()).toEqual(orderly.toSorted());
    expect(bot.fact('results')).toMatchObject({ reasons: ['cancelled'] });
  });

  it('exits with code 3 when an exit hook says so', async () => {
    const bot = start('ends', { hookExitCode: 3 });
    expect(await bot.exitCode()).toBe(3);
  });

  it.each(['throws', 'rejects'])(
    'exits with code 3 rather than 1 when its code %s as well',
    async (scenario) => {
      const bot = start(scenario, { hookExitCode: 3 });
      expect(await bot.exitCode()).toBe(3);
    },
  );

  it('exits with code 3 rather than 0 after a signal', async () => {
    const bot = start('waits', { hookExitCode: 3 });
    await bot.signalled('SIGTERM');
    expect(await bot.exitCode()).toBe(3);
  });

  it.each([
    ['the first', { hookMs: 400, secondHookMs: 0 }],
    ['the second', { hookMs: 0, secondHookMs: 400 }],
  ])('waits for the other runner of the process when %s takes longer', async (_which, times) => {
    const bot = start('waits', { ...times, hookExitCode: 1, secondHookExitCode: 3 });
    await bot.signalled('SIGTERM');
    expect(await bot.exitCode()).toBe(3);
    expect(bot.events).toEqual(
      expect.arrayContaining(['hookDone', 'secondHookDone', 'results', 'secondResults']),
    );
  });

  it('does not wait for another runner at a second signal', async () => {
    const bot = start('waits', { secondHookMs: -1 });
    await bot.signalled('SIGTERM');
    await bot.has('results');
    await bot.signalled('SIGTERM');
    expect(await bot.exitCode()).toBe(143);
  });

  it('leaves signals and errors alone when told to', async () => {
    const bot = start('waits', { runner: { handleProcessEvents: false } });
    await bot.signalled('SIGTERM');
    await expect(bot.exitCode()).rejects.toThrow('SIGTERM');
    expect(bot.events).not.toContain('hook');
  });

  // row Q
  it('runs its exit hooks when nothing is left to wait for', async () => {
    const bot = start('forgets', { task: { idleTimeoutMs: null } });
    await bot.exitCode();
    expect(bot.events).toContain('hookDone');
  });
});

describe('PipelineRunner', () => {
  const runner = (): PipelineRunner =>
    new PipelineRunner({ logger: silentLogger, handleProcessEvents: false });
  const newTask = (recorder = new Recorder()): PipelineTask =>
    new PipelineTask(recorder, { logger: silentLogger });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    'refuses a budget of %s',
    (shutdownBudgetMs) => {
      expect(() => new PipelineRunner({ shutdownBudgetMs })).toThrow(InvalidOptionError);
    },
  );

  it('refuses an unknown onSignal', () => {
    const onSignal = 'ignore' as 'cancel';
    expect(() => new PipelineRunner({ onSignal })).toThrow(InvalidOptionError);
  });

  it.each<[option: string, options: unknown]>([
    ['onsignal', { onsignal: 'end' }],
    ['shutdownBudgetMS', { shutdownBudgetMS: 500 }],
    ['handleProcessEvents', { handleProcessEvents: 'no' }],
    ['logger', { logger: null }],
    ['options', null],
  ])('refuses a wrong %s: %o', (option, options) => {
    const make = (): unknown => new PipelineRunner(options as never);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(`"${option}"`);
  });

  it.each<[what: string, tasks: unknown[]]>([
    ['a list of tasks', [[newTask()]]],
    ['a pipeline', [new IdentityFilter()]],
    ['nothing in place of a task', [newTask(), undefined]],
  ])('refuses to run %s, naming what came', async (_what, tasks) => {
    const one = runner();
    const running = one.run(...(tasks as PipelineTask[]));
    await expect(running).rejects.toThrow(InvalidOptionError);
    await expect(running).rejects.toThrow(/"tasks".*, got (\[|IdentityFilter|undefined)/);
    const task = newTask();
    task.stopWhenDone();
    expect(await one.run(task)).toMatchObject([{ reason: 'ended' }]);
  });

  it('may run many times at once without a warning, and leaves the process as it was', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const before = [process.getMaxListeners(), process.listenerCount('SIGTERM')];
    const runners = Array.from({ length: 40 }, () => new PipelineRunner({ logger: silentLogger }));
    const running = runners.map((one) => one.run(newTask()));
    for (const one of runners) one.end();
    await Promise.all(running);
    expect(warned).not.toHaveBeenCalled();
    expect([process.getMaxListeners(), process.listenerCount('SIGTERM')]).toEqual(before);
    warned.mockRestore();
  });

  it('tells how each task ended, in their order', async () => {
    const [ends, stops, cancels] = [newTask(), newTask(), newTask()];
    ends.stopWhenDone();
    stops.queueFrame(new StopFrame());
    cancels.cancel();
    const results = await runner().run(cancels, ends, stops);
    expect(results.map(({ reason }) => reason)).toEqual(['cancelled', 'ended', 'stopped']);
  });

  // row T
  it('end() ends: what was queued is played, and the EndFrame comes through', async () => {
    const recorders = [new Recorder(), new Recorder()];
    const tasks = recorders.map(newTask);
    const one = runner();
    const running = one.run(...tasks);
    for (const task of tasks) task.queueFrame(new TextFrame('goodbye'));
    one.end();
    expect((await running).map(({ reason }) => reason)).toEqual(['ended', 'ended']);
    for (const { seen } of recorders) {
      expect(seen.map((frame) => frame.constructor.name)).toEqual(['StartFrame', 'TextFrame', 'EndFrame']);
    }
  });

  it('cancel() cancels all tasks, with the reason', async () => {
    const one = runner();
    const running = one.run(newTask(), newTask());
    one.cancel('enough');
    expect(await running).toMatchObject([
      { reason: 'cancelled', frame: { reason: 'enough' } },
      { reason: 'cancelled', frame: { reason: 'enough' } },
    ]);
  });

  it('runs again once it has run', async () => {
    const one = runner();
    for (const task of [newTask(), newTask()]) {
      task.stopWhenDone();
      expect(await one.run(task)).toMatchObject([{ reason: 'ended' }]);
    }
  });

  it('refuses to run while it is running', async () => {
    const one = runner();
    const running = one.run(newTask());
    await expect(one.run(newTask())).rejects.toMatchObject({ name: 'PipelineError' });
    one.cancel();
    await running;
  });

  it('lets the other tasks end when one cannot be run', async () => {
    const one = runner();
    const used = newTask();
    used.stopWhenDone();
    await used.run();
    const other = newTask();
    const settled = vi.fn();
    const running = one.run(used, other).finally(settled);
    await expect(running).rejects.toMatchObject({ name: 'PipelineError' });
    expect(other.hasFinished).toBe(true);
  });

  it('exits with code 1 when a run failed', async () => {
    vi.useFakeTimers();
    try {
      const before = process.exitCode;
      const stuck = new (class extends IdentityFilter {
        override setup(): Promise<void> {
          return new Promise(() => {});
        }
      })();
      const running = runner().run(new PipelineTask(stuck, { logger: silentLogger, setupTimeoutMs: 100 }));
      await vi.advanceTimersByTimeAsync(200);
      expect(await running).toMatchObject([{ reason: 'failed' }]);
      expect(process.exitCode).toBe(1);
      process.exitCode = before;
    } finally {
      vi.useRealTimers();
    }
  });
});
