import type { TestOptions } from 'vitest';

/**
 * For a test whose promise is about time: a busy machine gets another chance when a measured time was too long, or
 * a process too slow to start. A wrong reason, a room that stays and a bystander that goes fail at once.
 */
export const ifTooLate: TestOptions = {
  retry: {
    count: 2,
    condition: /^expected -?[\d.]+ to be less than |^no "(joined|started|guardian)" from the /i,
  },
};
