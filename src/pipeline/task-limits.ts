import { InvalidOptionError } from '../errors.ts';
import type { PipelineTaskLimits, PipelineTaskOptions } from './pipeline-task.ts';

/** A task's limits, with their defaults. */
const defaults: Required<PipelineTaskLimits> = {
  setupTimeoutMs: 20_000,
  startTimeoutMs: 20_000,
  endStallTimeoutMs: 20_000,
  cancelTimeoutMs: 2_000,
  cleanupTimeoutMs: 2_000,
  idleTimeoutMs: 300_000,
};

/** @throws {InvalidOptionError} A limit or a rate can never work. */
export function checkLimits(options: PipelineTaskOptions): Required<PipelineTaskLimits> {
  for (const rate of ['audioInSampleRate', 'audioOutSampleRate'] as const) {
    const value = options[rate] ?? 1;
    if (!(Number.isFinite(value) && value > 0))
      throw new InvalidOptionError(rate, 'a number of hertz above 0', value);
  }
  const limits: Record<string, number | null> = {};
  for (const name of Object.keys(defaults) as (keyof PipelineTaskLimits)[]) {
    const value = options[name] === undefined ? defaults[name] : options[name];
    if (value !== null && !(typeof value === 'number' && Number.isFinite(value) && value > 0)) {
      throw new InvalidOptionError(name, 'a number of milliseconds above 0, or null', value);
    }
    limits[name] = value;
  }
  return limits as unknown as Required<PipelineTaskLimits>;
}
