/** The messages between a bot and its guardian: one JSON text per line, an empty line as a heartbeat. */

import type { DeleteWhen, OwnParticipant } from '../delete-when.ts';
import type { RestCredentials } from '../rest/livekit-rest-helper.ts';
import type { RoomIdentity } from '../room-identity.ts';
import type { RoomReappearance } from '../verify-room-gone.ts';

/** A room, with all that another process needs to delete it. */
export interface RoomToGuard extends OwnParticipant {
  /** The room's name. */
  readonly roomName: string;
  /** What is known about the room's identity. */
  readonly room: RoomIdentity;
  /** Server and key pair for the deletion. */
  readonly credentials: RestCredentials;
  /** Functions cannot be sent: without the bot the room is deleted. */
  readonly deleteWhen: Exclude<DeleteWhen, 'never' | ((...args: never[]) => unknown)>;
  /** Whether to check again after the deletion. */
  readonly verify: boolean;
  /** After so long without a heartbeat the bot counts as stuck, in milliseconds; `null`: never. */
  readonly heartbeatMs: number | null;
}

/** Messages of the bot to the guardian. */
export type ToGuardian =
  /** Also updates a room that is watched already. */
  | { readonly type: 'watch'; readonly id: number; readonly guarded: RoomToGuard }
  /** The bot's own deletion has failed. */
  | { readonly type: 'take-over'; readonly id: number }
  /** The bot has deleted the room; the guardian verifies it. */
  | { readonly type: 'verify'; readonly id: number }
  /** The room is to be left alone. */
  | { readonly type: 'release'; readonly id: number };

/** Messages of the guardian to the bot. */
export type FromGuardian =
  | { readonly type: 'armed'; readonly id: number }
  /** The guardian's deletion has ended; not sent after the end of the bot. */
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

/** Records a heartbeat. */
export const beat = '\n';

/** A message as one line of JSON. */
export function encode(message: ToGuardian | FromGuardian): string {
  return `${JSON.stringify(message)}\n`;
}

/** Splits a stream into messages, which are trusted: parent and child wrote them. */
export class MessageReader<Message extends ToGuardian | FromGuardian> {
  #rest = '';

  /** The messages that this text completes; heartbeats are none. */
  read(text: string): Message[] {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Message);
  }
}
