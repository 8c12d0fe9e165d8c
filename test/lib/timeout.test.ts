import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withAbort } from '../../src/lib/timeout.ts';

function setup(work: (signal: AbortSignal) => Promise<string> = () => new Promise(() => {})) {
  const controller = new AbortController();
  const onTimeout = (): Error => new Error('too late');
  let signal: AbortSignal | undefined;
  const result = withAbort({ limitMs: 50, signal: controller.signal, onTimeout }, (given) => {
    signal = given;
    return work(given);
  });
  const settled = result.catch((error: Error) => error.message);
  return { settled, controller, workSignal: () => signal };
}

describe('withTimeLimit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('passes on what the work brings, and leaves no timer', async () => {
    expect(await setup(async () => 'done').settled).toBe('done');
    expect(await setup(() => Promise.reject(new Error('broken'))).settled).toBe('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up at the limit and tells the work', async () => {
    const { settled, workSignal } = setup();
    await vi.advanceTimersByTimeAsync(49);
    expect(workSignal()?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await settled).toBe('too late');
    expect(workSignal()?.aborted).toBe(true);
  });

  it('prefers its own reason to what the work says about being stopped', async () => {
    const { settled } = setup(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('I was stopped')));
        }),
    );
    await vi.advanceTimersByTimeAsync(50);
    expect(await settled).toBe('too late');
  });

  it('gives up with the caller, for the reason of the caller', async () => {
    const { settled, controller, workSignal } = setup();
    controller.abort(new Error('enough'));
    expect(await settled).toBe('enough');
    expect(workSignal()?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects when the work throws at once', async () => {
    const { settled } = setup(() => {
      throw new Error('thrown');
    });
    expect(await settled).toBe('thrown');
    expect(vi.getTimerCount()).toBe(0);
  });
});
