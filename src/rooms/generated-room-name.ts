/** Room names that nobody else can have: `endframe-` and 128 random bits. */

import { randomBytes } from 'node:crypto';

const generated = /endframe-[0-9a-f]{32}$/;

/** @param prefix Goes before it, for people and for sweepers that look after a part of the rooms. */
export function generateRoomName(prefix = ''): string {
  return `${prefix}endframe-${randomBytes(16).toString('hex')}`;
}

/**
 * Whether a name is one of these, whatever its prefix.
 *
 * The word before the digits tells them from the names of others, who like 32 hexadecimal digits too.
 */
export function isGeneratedRoomName(name: string): boolean {
  return generated.test(name);
}
