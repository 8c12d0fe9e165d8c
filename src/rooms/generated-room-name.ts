/** Room names that nobody else can have: a prefix and 128 random bits. */

import { randomBytes } from 'node:crypto';

/** What generated names begin with. */
export const generatedRoomNamePrefix = 'endframe-';

const randomPart = /[0-9a-f]{32}$/;

/** @param prefix What it begins with, for people and for the sweeper. Default `endframe-`. */
export function generateRoomName(prefix: string = generatedRoomNamePrefix): string {
  return `${prefix}${randomBytes(16).toString('hex')}`;
}

/** Whether a name is one of these: exactly the prefix and 32 hexadecimal digits. */
export function isGeneratedRoomName(name: string, prefix: string = generatedRoomNamePrefix): boolean {
  return name.startsWith(prefix) && name.length === prefix.length + 32 && randomPart.test(name);
}
