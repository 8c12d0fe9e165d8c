/** The program of smart turn's worker thread: runs models by the optional peer `onnxruntime-node`. */

import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../../lib/errors.ts';
import { melBands, melColumns, whisperFeatures } from './whisper-features.ts';

/** What the thread is given at its start. */
export interface SmartTurnWorkerData {
  /** Files or folders to look for the runtime from, in this order. */
  readonly packagesFrom: readonly string[];
  /** One number in shared memory: 1 from when a task is sent until the thread is out of native code, else 0. */
  readonly isBusy: Int32Array;
}

/** What the thread is to do; one task is sent after the other has been answered. */
export interface SmartTurnTask {
  /** The path of a model, which is loaded where it is not yet. */
  readonly model: string;
  /** How many threads the model may use, this one included. */
  readonly threads: number;
  /** 16-bit mono at 16 kHz. */
  readonly samples: Int16Array<ArrayBuffer>;
}

/** How it went. */
export type SmartTurnAnswer =
  | { readonly kind: 'judged'; readonly probability: number }
  | { readonly kind: 'missing'; readonly what: 'runtime' | 'model'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string };

/** The part of `onnxruntime-node` that is used. */
interface OnnxRuntime {
  readonly InferenceSession: { create(path: string, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
}

interface InferenceSession {
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, object>>,
  ): Promise<Readonly<Record<string, { readonly data: ArrayLike<number> }>>>;
}

type Judge = (samples: Int16Array) => Promise<number>;

/** Something that has to be installed or fetched is not there. */
class Missing extends Error {
  readonly what: 'runtime' | 'model';

  constructor(what: 'runtime' | 'model', cause: unknown) {
    super(errorMessage(cause));
    this.what = what;
  }
}

const { packagesFrom, isBusy } = workerData as SmartTurnWorkerData;
const loaded = new Map<string, Judge>();

async function work({ model, threads, samples }: SmartTurnTask): Promise<SmartTurnAnswer> {
  try {
    const key = `${threads} ${model}`;
    const judge = loaded.get(key) ?? (await load(model, threads));
    loaded.set(key, judge);
    return { kind: 'judged', probability: await judge(samples) };
  } catch (error) {
    const text = errorMessage(error);
    return error instanceof Missing ? { kind: 'missing', what: error.what, text } : { kind: 'failed', text };
  }
}

async function load(model: string, threads: number): Promise<Judge> {
  const runtimeFile = findRuntime();
  await access(model).catch((cause: unknown) => {
    throw new Missing('model', cause);
  });
  const { InferenceSession, Tensor } = createRequire(runtimeFile)(runtimeFile) as OnnxRuntime;
  const session = await InferenceSession.create(model, {
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    intraOpNumThreads: threads,
    // threads that wait for work sleep: the processor is for the event loop
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return async (samples) => {
    const features = new Tensor('float32', whisperFeatures(samples), [1, melBands, melColumns]);
    const output = await session.run({ input_features: features });
    return Number(output[session.outputNames[0] ?? '']?.data[0]);
  };
}

/** @throws {Missing} It is found from nowhere. */
function findRuntime(): string {
  let cause: unknown;
  for (const place of packagesFrom) {
    try {
      return createRequire(place).resolve('onnxruntime-node');
    } catch (error) {
      cause ??= error;
    }
  }
  throw new Missing('runtime', cause);
}

function serve(port: MessagePort): void {
  port.on('message', async (task: SmartTurnTask) => {
    const answer = await work(task);
    Atomics.store(isBusy, 0, 0);
    Atomics.notify(isBusy, 0);
    port.postMessage(answer);
  });
}

if (parentPort !== null) serve(parentPort);
