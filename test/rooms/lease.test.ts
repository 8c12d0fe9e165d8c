import { expect, it } from 'vitest';
import { leaseAttribute, leaseBeatMs } from '../../src/rooms/lease.ts';

it('has the name and the rhythm that other languages may rely on', () => {
  expect(leaseAttribute).toBe('endframe.lease');
  expect(leaseBeatMs).toBe(5_000);
});
