/** Who is in the room. */

import { SystemFrame } from './frame.ts';

/** The bot is in the room. */
export class BotConnectedFrame extends SystemFrame {}

/** The first participant is there: the conversation can begin. */
export class ClientConnectedFrame extends SystemFrame {}

/** A participant is in the room, also one who was there before the bot. */
export class ParticipantJoinedFrame extends SystemFrame {
  readonly identity: string;

  constructor(identity: string) {
    super();
    this.identity = identity;
  }
}

/** A participant has left the room. */
export class ParticipantLeftFrame extends SystemFrame {
  readonly identity: string;

  constructor(identity: string) {
    super();
    this.identity = identity;
  }
}
