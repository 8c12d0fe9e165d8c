/** Messages between the bot and the other side's program, past sound and pictures. */

import { DataFrame, SystemFrame } from './frame.ts';

/** A participant's program sent a message. A receiver that answers it passes it on all the same. */
export class InputTransportMessageFrame extends SystemFrame {
  /** What was sent, as it came. */
  readonly message: unknown;
  /** The sender's identity; `undefined` where the transport does not know it. */
  readonly participantId: string | undefined;

  constructor(message: unknown, participantId?: string) {
    super();
    this.message = message;
    this.participantId = participantId;
  }
}

/**
 * A message to send in its turn: the output transport sends it when the sound ahead of it has been played. LiveKit
 * carries 63 000 bytes at most, as UTF-8 or JSON, and recommends 15 KiB at most.
 */
export class OutputTransportMessageFrame extends DataFrame {
  /** The message; serialized by the transport. */
  readonly message: unknown;
  /** Identity of the recipient; `undefined` for all participants. */
  readonly participantId: string | undefined;

  constructor(message: unknown, participantId?: string) {
    super();
    this.message = message;
    this.participantId = participantId;
  }
}

/** A message to send at once: the output transport does not wait for the sound ahead of it. As long at most. */
export class OutputTransportMessageUrgentFrame extends SystemFrame {
  /** The message; serialized by the transport. */
  readonly message: unknown;
  /** Identity of the recipient; `undefined` for all participants. */
  readonly participantId: string | undefined;

  constructor(message: unknown, participantId?: string) {
    super();
    this.message = message;
    this.participantId = participantId;
  }
}
