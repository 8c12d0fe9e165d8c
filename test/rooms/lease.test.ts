import { describe, expect, it } from 'vitest';
import {
  formatLease,
  leaseAttribute,
  leaseBeatMs,
  makeLease,
  nextLease,
  parseLease,
} from '../../src/rooms/lease.ts';

describe('the lease', () => {
  it('has the name and the rhythm that other languages may rely on', () => {
    expect(leaseAttribute).toBe('endframe.lease');
    expect(leaseBeatMs).toBe(5_000);
  });

  it('counts up, and reads back what it writes', () => {
    const lease = makeLease('abc');
    expect(formatLease(nextLease(nextLease(lease)))).toBe('abc.2');
    expect(parseLease('abc.2')).toEqual({ run: 'abc', count: 2 });
  });

  it.each(['', 'abc', 'abc.', '.1', 'abc.-1', 'abc.1.2', 'ABC.1', `abc.${'9'.repeat(16)}`])(
    'is not %j',
    (text) => expect(parseLease(text)).toBeUndefined(),
  );

  it('never repeats a value after a restart', () => {
    expect(makeLease().run).not.toBe(makeLease().run);
  });
});
