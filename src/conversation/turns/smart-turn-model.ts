/** Smart turn's models, in one worker thread for all of this process. */

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorMessage, MissingDependencyError, PipelineError } from '../../lib/errors.ts';
import { ownFile } from '../../lib/own-file.ts';
import { smartTurnScript } from './smart-turn-script.ts';
import type { SmartTurnAnswer, SmartTurnTask, SmartTurnWorkerData } from './smart-turn-worker.ts';

/** What a {@link SmartTurnModel} is made of. */
export interface SmartTurnModelOptions {
  /** The path of the model. */
  readonly path: string;
  /** How many threads one judgement may use. */
  readonly threads: number;
  /**
   * Files to look for `onnxruntime-node` from. Default: the one where `import()` would look for it, then the program,
   * then the working directory.
   */
  readonly packagesFrom?: readonly string[];
}

/** One use of a model, which all uses with the same path share. */
export class SmartTurnModel {
  readonly #path: string;
  readonly #threads: number;
  readonly #packagesFrom: readonly string[];
  #thread: ModelThread | undefined;

  constructor({ path, threads, packagesFrom = packagePlaces() }: SmartTurnModelOptions) {
    this.#path = path;
    this.#threads = threads;
    this.#packagesFrom = packagesFrom;
  }

  /**
   * Loads the model, and lets it judge once: the first time takes longer than others.
   *
   * @throws {MissingDependencyError} `onnxruntime-node` or the model is missing.
   * @throws {PipelineError} They are unusable.
   */
  async load(): Promise<void> {
    await this.#run(new Int16Array(0));
  }

  /**
   * Loads the model where it is not yet.
   *
   * @param samples 16-bit mono at 16 kHz; the last 8 s count. Its memory is transferred to the thread.
   * @returns The probability that a turn ends here.
   * @throws {EndframeError} See {@link load}; the signal's reason when it aborts.
   */
  async probability(samples: Int16Array<ArrayBuffer>, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    return this.#run(samples, signal);
  }

  /** Rejects what is pending; idempotent. The thread keeps the model, for the next call. */
  close(): void {
    this.#thread?.dropAllOf(this, failure('it has been closed'));
  }

  #run(samples: Int16Array<ArrayBuffer>, signal?: AbortSignal): Promise<number> {
    this.#thread = ModelThread.of(this.#packagesFrom);
    const task = { model: this.#path, threads: this.#threads, samples };
    return this.#thread.run(this, task, signal);
  }
}

function packagePlaces(): string[] {
  return [ownFile() ?? [], process.argv[1] ?? [], join(process.cwd(), 'index.js')].flat();
}

/** A task that waits for its answer. */
interface Job {
  readonly user: SmartTurnModel;
  readonly task: SmartTurnTask;
  readonly resolve: (probability: number) => void;
  readonly reject: (reason: unknown) => void;
}

const exitLimitMs = 2_000;

/**
 * The worker thread, and the queue of its tasks. It keeps the process alive only while it works.
 *
 * It is never ended. Some versions of `onnxruntime-node` cannot be loaded again in a process once the last thread that
 * had it has ended; and a thread that is terminated in its native code aborts the process: an exit waits for that code.
 */
class ModelThread {
  static readonly #all = new Map<string, ModelThread>();

  /** The thread that looks for `onnxruntime-node` from there; a new one after a crash. */
  static of(packagesFrom: readonly string[]): ModelThread {
    const key = packagesFrom.join('\n');
    const thread = ModelThread.#all.get(key) ?? new ModelThread(key, packagesFrom);
    ModelThread.#all.set(key, thread);
    return thread;
  }

  readonly #key: string;
  readonly #worker: Worker;
  readonly #isBusy = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #waiting: Job[] = [];
  /** What the thread is at; stays until it answers, also when nobody waits for that any more. */
  #current: Job | undefined;

  /** @throws {PipelineError} This process may start no thread. */
  private constructor(key: string, packagesFrom: readonly string[]) {
    this.#key = key;
    this.#worker = startWorker({ packagesFrom, isBusy: this.#isBusy });
    this.#worker.unref();
    const onProcessExit = (): void => void Atomics.wait(this.#isBusy, 0, 1, exitLimitMs);
    process.on('exit', onProcessExit);
    this.#worker.on('message', (answer: SmartTurnAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#crash(failure(errorMessage(error), error)));
    this.#worker.on('exit', (code) => {
      process.off('exit', onProcessExit);
      this.#crash(failure(`its thread ended with exit code ${code}`));
    });
  }

  /** @returns The probability; rejects with the signal's reason when it aborts. */
  run(user: SmartTurnModel, task: SmartTurnTask, signal?: AbortSignal): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      const job: Job = {
        user,
        task,
        resolve: (probability) => {
          settled();
          resolve(probability);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      const onAbort = (): void => this.#drop(job, signal?.reason);
      signal?.addEventListener('abort', onAbort);
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Rejects all tasks of one user. */
  dropAllOf(user: SmartTurnModel, reason: Error): void {
    for (const job of [...this.#waiting, this.#current]) {
      if (job?.user === user) this.#drop(job, reason);
    }
  }

  #next(): void {
    this.#current ??= this.#start(this.#waiting.shift());
    if (this.#current === undefined) this.#worker.unref();
    else this.#worker.ref();
  }

  #start(job: Job | undefined): Job | undefined {
    if (job === undefined) return undefined;
    Atomics.store(this.#isBusy, 0, 1);
    this.#worker.postMessage(job.task, [job.task.samples.buffer]);
    return job;
  }

  #settle(answer: SmartTurnAnswer): void {
    const job = this.#current;
    this.#current = undefined;
    if (answer.kind === 'judged') job?.resolve(answer.probability);
    else job?.reject(errorOf(answer, job.task.model));
    this.#next();
  }

  #drop(job: Job, reason: unknown): void {
    const place = this.#waiting.indexOf(job);
    if (place >= 0) this.#waiting.splice(place, 1);
    job.reject(reason);
  }

  #crash(error: Error): void {
    if (ModelThread.#all.get(this.#key) === this) ModelThread.#all.delete(this.#key);
    this.#current?.reject(error);
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }
}

function startWorker(workerData: SmartTurnWorkerData): Worker {
  const { script, options } = smartTurnScript();
  try {
    return new Worker(script, { ...options, name: 'endframe smart turn', workerData });
  } catch (cause) {
    throw failure(errorMessage(cause), cause);
  }
}

function errorOf(answer: Exclude<SmartTurnAnswer, { kind: 'judged' }>, model: string): Error {
  const cause = new Error(answer.text);
  if (answer.kind === 'failed') return failure(`onnxruntime-node cannot run ${model}: ${answer.text}`);
  return answer.what === 'runtime'
    ? new MissingDependencyError('onnxruntime-node', 'Install it: npm install onnxruntime-node.', { cause })
    : new MissingDependencyError(model, howToGetTheModel, { cause });
}

const howToGetTheModel =
  'It is part of Pipecat: pip download --no-deps pipecat-ai==1.14.0, and unzip ' +
  'pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx from the wheel.';

function failure(text: string, cause?: unknown): PipelineError {
  return new PipelineError(`Smart turn has failed: ${text}.`, { cause });
}
