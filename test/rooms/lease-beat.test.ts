import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import { LeaseBeat } from '../../src/rooms/lease-beat.ts';
import { nodeArgs } from '../support/run-typescript.ts';

describe('LeaseBeat', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setup(answer: () => Promise<unknown> = async () => {}) {
    const counts: number[] = [];
    const warn = vi.fn();
    const beat = new LeaseBeat({
      write: (attributes) => {
        counts.push(Number(attributes[leaseAttribute]?.split('.')[1] ?? -1));
        return answer();
      },
      beatMs: 100,
      logger: { ...silentLogger, warn },
    });
    return { beat, counts, warn };
  }

  it('beats at once and then in its rhythm', async () => {
    const { beat, counts } = setup();
    beat.start();
    expect(counts).toEqual([0]);
    await vi.advanceTimersByTimeAsync(299);
    expect(counts).toEqual([0, 1, 2]);
  });

  it('starts once, and stops at once', async () => {
    const { beat, counts } = setup();
    beat.start();
    beat.start();
    beat.stop();
    beat.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(counts).toEqual([0]);
  });

  it('goes on counting after a pause', async () => {
    const { beat, counts } = setup();
    beat.start();
    beat.stop();
    beat.start();
    expect(counts).toEqual([0, 1]);
  });

  it('goes on when writes fail, warns once, and warns again after a success', async () => {
    let fails = true;
    const { beat, counts, warn } = setup(async () => {
      if (fails) throw new Error('not permitted');
    });
    beat.start();
    await vi.advanceTimersByTimeAsync(250);
    expect(counts).toEqual([0, 1, 2]);
    expect(warn).toHaveBeenCalledOnce();
    fails = false;
    await vi.advanceTimersByTimeAsync(100);
    fails = true;
    await vi.advanceTimersByTimeAsync(200);
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('waits for a write that hangs for two beats, and goes on then', async () => {
    const { beat, counts, warn } = setup(() => new Promise(() => {}));
    beat.start();
    await vi.advanceTimersByTimeAsync(190);
    expect(counts).toEqual([0]);
    await vi.advanceTimersByTimeAsync(20);
    expect(counts).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(600);
    expect(counts).toHaveLength(5);
    expect(warn).toHaveBeenCalledOnce();
  });

  it('goes on when the write throws and the logger too', async () => {
    const counts: unknown[] = [];
    const write = (): never => {
      counts.push(1);
      throw new Error('no room');
    };
    const warn = (): never => {
      throw new Error('no log');
    };
    new LeaseBeat({ write, beatMs: 100, logger: { ...silentLogger, warn } }).start();
    await vi.advanceTimersByTimeAsync(250);
    expect(counts).toHaveLength(3);
  });

  it('never repeats a value after a restart', () => {
    const values = new Set<string | undefined>();
    for (let restart = 0; restart < 2; restart += 1) {
      const beat = new LeaseBeat({ write: async (attributes) => values.add(attributes[leaseAttribute]) });
      beat.start();
      beat.stop();
    }
    expect([...values]).toEqual([expect.stringMatching(/^[0-9a-f]{12}\.0$/), expect.stringMatching(/\.0$/)]);
  });

  it('refuses a beat of 0 and a missing write', () => {
    expect(() => new LeaseBeat({ write: async () => {}, beatMs: 0 })).toThrow(InvalidOptionError);
    expect(() => new LeaseBeat({} as never)).toThrow(InvalidOptionError);
  });

  it('keeps no process alive', () => {
    const script = `import { LeaseBeat } from ${JSON.stringify(new URL('../../src/rooms/lease-beat.ts', import.meta.url).href)};
      new LeaseBeat({ write: async () => {} }).start();`;
    const { status } = spawnSync(process.execPath, [...nodeArgs, '--input-type=module', '-e', script], {
      timeout: 90_000,
    });
    expect(status).toBe(0);
  });
});
