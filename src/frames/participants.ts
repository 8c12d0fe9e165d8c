/** The frames of participants that join and leave. */

import { SystemFrame } from './frame.ts';

/**
 * The kind of a participant, from its token: a browser or an app (`standard`), a caller by telephone (`sip`), a bot
 * or an avatar (`agent`), a recorder (`egress`), a stream from outside (`ingress`). LiveKit may add others.
 */
export type ParticipantKind = 'standard' | 'sip' | 'agent' | 'egress' | 'ingress' | (string & {});

/** Which participants count as company of a bot: people only, or machines (`agent`, `egress`, `ingress`) as well. */
export type Company = 'people' | 'everybody';

const machines: ReadonlySet<ParticipantKind> = new Set(['agent', 'egress', 'ingress']);

/** Whether a participant of this kind counts as company; kinds that are not known here are people. */
export function isCompany(kind: ParticipantKind, company: Company): boolean {
  return company === 'everybody' || !machines.has(kind);
}

/** The bot is in the room. */
export class BotConnectedFrame extends SystemFrame {}

/** The first participant that counts as company is there: the conversation can begin. */
export class ClientConnectedFrame extends SystemFrame {}

/** A participant is in the room, also one that was there before the bot. */
export class ParticipantJoinedFrame extends SystemFrame {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** The participant's kind. */
  readonly participantKind: ParticipantKind;

  constructor(identity: string, participantKind: ParticipantKind = 'standard') {
    super();
    this.identity = identity;
    this.participantKind = participantKind;
  }
}

/** A participant has left the room. */
export class ParticipantLeftFrame extends SystemFrame {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** The participant's kind. */
  readonly participantKind: ParticipantKind;

  constructor(identity: string, participantKind: ParticipantKind = 'standard') {
    super();
    this.identity = identity;
    this.participantKind = participantKind;
  }
}
