/** What a bot and its guardian tell each other over their pipe: one JSON text per line, an empty line as a beat. */

import type { DeleteWhen, OwnParticipant } from './delete-when.ts';
import type { RestCredentials } from './livekit-rest-helper.ts';
import type { RoomIdentity } from './room-identity.ts';
import type { RoomReappearance } from './verify-deletion.ts';

/** A room, with all that another process needs to see it gone. */
export interface GuardedRoom extends OwnParticipant {
  readonly roomName: string;
  readonly room: RoomIdentity;
  readonly credentials: RestCredentials;
  /** A function cannot be handed over: a bot that has died can decide nothing, and the room is deleted. */
  readonly deleteWhen: Exclude<DeleteWhen, 'never' | ((...args: never[]) => unknown)>;
  /** Whether to look again after the deletion. */
  readonly verify: boolean;
  /** After so long without a beat the bot counts as stuck, in milliseconds; `null`: never. */
  readonly heartbeatMs: number | null;
}

export type ToGuardian =
  /** Also tells what has become known of a room that is watched already. */
  | { readonly type: 'watch'; readonly id: number; readonly guarded: GuardedRoom }
  /** The bot has tried in vain. */
  | { readonly type: 'take-over'; readonly id: number }
  /** The bot has deleted the room, and leaves the looks to the guardian. */
  | { readonly type: 'look'; readonly id: number }
  /** The room is to be left alone. */
  | { readonly type: 'forget'; readonly id: number };

export type FromGuardian =
  | { readonly type: 'armed'; readonly id: number }
  /** It went first: the bot gave no sign of life, or asked for it. */
  | {
      readonly type: 'settled';
      readonly id: number;
      readonly status: 'deleted' | 'already-gone' | 'kept' | 'failed';
      readonly cause: 'stuck' | 'taken-over';
    }
  | { readonly type: 'reappeared'; readonly id: number; readonly reappearance: RoomReappearance }
  /** Nothing is left to do for this room. */
  | { readonly type: 'finished'; readonly id: number };

/** The file descriptor of the pipe in the guardian. */
export const guardianPipeFd = 3;

export const beat = '\n';

export function encode(message: ToGuardian | FromGuardian): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * Takes a stream of bytes apart into messages.
 *
 * Each end trusts the other: it started it, or was started by it.
 */
export class MessageReader<Message extends ToGuardian | FromGuardian> {
  #rest = '';

  /** The messages that these bytes complete; beats make none. */
  read(text: string): Message[] {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Message);
  }
}
