/** Runs before each test file: `vi.waitFor` gives up after a second by default, in which a busy machine may do nothing. */

import { vi } from 'vitest';

const { waitFor } = vi;

vi.waitFor = (check, options) =>
  waitFor(check, { timeout: 90_000, ...(typeof options === 'number' ? { timeout: options } : options) });
