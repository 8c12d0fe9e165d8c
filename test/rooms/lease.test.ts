import { describe, expect, it } from 'vitest';
import { formatLease, leaseAttribute, leaseBeatMs, makeLease, nextLease } from '../../src/rooms/lease.ts';

describe('the lease', () => {
  it('has the name and the rhythm that other languages may rely on', () => {
    expect(leaseAttribute).toBe('endframe.lease');
    expect(leaseBeatMs).toBe(5_000);
  });

  it('counts up', () => {
    const lease = makeLease('abc');
    expect(formatLease(nextLease(nextLease(lease)))).toBe('abc.2');
  });

  it('never repeats a value after a restart', () => {
    expect(makeLease().run).not.toBe(makeLease().run);
  });
});
