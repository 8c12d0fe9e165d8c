import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SmartTurnModel } from '../../../src/conversation/turns/smart-turn-model.ts';
import { MissingDependencyError, PipelineError } from '../../../src/lib/errors.ts';
import { spawnScript } from '../../support/run-typescript.ts';

/**
 * Stands in for onnxruntime-node. Its "models" are texts: what goes wrong. Its probabilities are how often a model has
 * run, in hundredths.
 */
const runtime = `
const { readFileSync } = require('node:fs');
exports.Tensor = class { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } };
exports.InferenceSession = { create: async (path, options) => {
  const fault = readFileSync(path, 'utf8');
  if (fault === 'no model') throw new Error('protobuf parsing failed');
  let runs = 0;
  return { outputNames: ['logits'], run: async ({ input_features: { type, data, dims } }) => {
    runs += 1;
    if (type !== 'float32' || data.length !== 64_000 || String(dims) !== '1,80,800') throw new Error('wrong shape');
    if (fault === 'broken') throw new Error('out of memory');
    if (fault === 'exit') process.exit(7);
    if (fault === 'crash') {
      setImmediate(() => { throw new Error('crashed'); });
      await new Promise(() => {});
    }
    if (fault === 'busy') {
      require('node:fs').writeFileSync(path + '.running', '');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      require('node:fs').writeSync(1, 'ran\\n');
    }
    return { logits: { data: [runs / 100] } };
  } };
} };
`;

const { signal } = new AbortController();
let folder: string;
const models: SmartTurnModel[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'endframe-smart-turn-'));
  mkdirSync(join(folder, 'node_modules/onnxruntime-node'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/onnxruntime-node/index.js'), runtime);
});
afterEach(() => {
  for (const model of models.splice(0)) model.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of its own for each test. @param fault What is in it. */
function modelFile(fault = ''): string {
  const path = join(mkdtempSync(join(folder, 'model-')), 'smart-turn.onnx');
  writeFileSync(path, fault);
  return path;
}

function modelAt(path: string, packagesFrom = [join(folder, 'index.js')]): SmartTurnModel {
  const model = new SmartTurnModel({ path, threads: 1, packagesFrom });
  models.push(model);
  return model;
}

const judge = (model: SmartTurnModel, aborted: AbortSignal = signal): Promise<number> =>
  model.probability(new Int16Array(16_000), aborted);

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('SmartTurnModel', () => {
  it('judges one sound after the other, in the order in which they come', async () => {
    const model = modelAt(modelFile());
    expect(await Promise.all([judge(model), judge(model), judge(model)])).toEqual([0.01, 0.02, 0.03]);
  });

  it('is loaded, and has judged once, before the first sound comes', async () => {
    const model = modelAt(modelFile());
    await model.load();
    expect(await judge(model)).toBe(0.02);
  });

  it('leaves out what is aborted before its turn', async () => {
    const model = modelAt(modelFile());
    const aborting = new AbortController();
    const verdicts = [judge(model), judge(model, aborting.signal), judge(model)];
    aborting.abort(new Error('speaks again'));
    expect(await Promise.allSettled(verdicts)).toMatchObject([
      { value: 0.01 },
      { reason: { message: 'speaks again' } },
      { value: 0.02 },
    ]);
    await expect(judge(model, aborting.signal)).rejects.toThrow('speaks again');
  });

  it('rejects at once what is aborted while it is judged, and goes on', async () => {
    const model = modelAt(modelFile());
    const aborting = new AbortController();
    const verdict = judge(model, aborting.signal);
    aborting.abort(new Error('speaks again'));
    await expect(verdict).rejects.toThrow('speaks again');
    expect(await judge(model)).toBe(0.02);
  });

  it('is loaded once for all that use the same file; another file is another model', async () => {
    const path = modelFile();
    const [ada, bob, eve] = [modelAt(path), modelAt(path), modelAt(modelFile())];
    expect(await Promise.all([ada, bob, eve].map((model) => judge(model)))).toEqual([0.01, 0.02, 0.01]);
  });

  it('rejects what is pending when it is closed, and nothing of others', async () => {
    const path = modelFile();
    const [ada, bob] = [modelAt(path), modelAt(path)];
    const verdicts = [judge(ada), judge(bob), judge(ada)];
    ada.close();
    ada.close();
    const closed = {
      reason: { name: 'PipelineError', message: 'Smart turn has failed: it has been closed.' },
    };
    expect(await Promise.allSettled(verdicts)).toMatchObject([closed, { value: 0.02 }, closed]);
    expect(await judge(ada)).toBe(0.03);
  });

  it('says that onnxruntime-node is missing', async () => {
    const error = await failure(modelAt(modelFile(), [join(tmpdir(), 'index.js')]).load());
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect(error).toMatchObject({
      dependency: 'onnxruntime-node',
      message: 'onnxruntime-node is needed and was not found. Install it: npm install onnxruntime-node.',
      cause: { message: expect.stringContaining("Cannot find module 'onnxruntime-node'") },
    });
  });

  it('looks for onnxruntime-node in several places', async () => {
    const model = modelAt(modelFile(), [join(tmpdir(), 'index.js'), join(folder, 'index.js')]);
    expect(await judge(model)).toBe(0.01);
  });

  it('says that the model is missing, with where it can be had, and finds it when it has come', async () => {
    const path = join(folder, 'late.onnx');
    const model = modelAt(path);
    const error = await failure(judge(model));
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect(error).toMatchObject({ dependency: path, cause: { message: expect.stringContaining('ENOENT') } });
    expect(String(error)).toContain('pipecat-ai==1.14.0');
    writeFileSync(path, '');
    expect(await judge(model)).toBe(0.01);
  });

  it.each([
    ['cannot load a model', 'no model', 'protobuf parsing failed'],
    ['cannot run it', 'broken', 'out of memory'],
  ])('says why it %s, and goes on', async (_, fault, reason) => {
    const path = modelFile(fault);
    const error = await failure(modelAt(path).load());
    expect(error).toBeInstanceOf(PipelineError);
    expect(error).toMatchObject({
      message: `Smart turn has failed: onnxruntime-node cannot run ${path}: ${reason}.`,
    });
    expect(await judge(modelAt(modelFile()))).toBe(0.01);
  });

  it.each([
    ['an uncaught error', 'crash', 'crashed'],
    ['an exit', 'exit', 'its thread ended with exit code 7'],
  ])('has a new thread after one that ended by %s', async (_, fault, reason) => {
    const path = modelFile(fault);
    const model = modelAt(path);
    for (const error of await Promise.all([failure(judge(model)), failure(judge(model))])) {
      expect(error).toMatchObject({ name: 'PipelineError', message: `Smart turn has failed: ${reason}.` });
    }
    writeFileSync(path, '');
    expect(await judge(model)).toBe(0.01);
  });

  describe('in a process', () => {
    const run = async (fault: string, then: 'end' | 'exit') => {
      const script = fileURLToPath(new URL('./smart-turn-program.ts', import.meta.url));
      const child = spawnScript(script, [modelFile(fault), join(folder, 'index.js'), then], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exit = once(child, 'exit');
      return { output: child.stdout && (await text(child.stdout)), exit: await exit };
    };

    it('keeps it alive while it judges, and no longer', async () => {
      expect(await run('', 'end')).toEqual({ output: '0.01\n', exit: [0, null] });
    });

    it('is not interrupted in native code when the process exits', async () => {
      expect(await run('busy', 'exit')).toEqual({ output: 'ran\n', exit: [5, null] });
    });
  });
});
