import type { ParticipantKind } from '../../frames/participants.ts';
import type { RemoteParticipant, RtcNode } from './load-rtc-node.ts';

/** What LiveKit knows of somebody in the room, now. */
export interface ParticipantInfo {
  readonly identity: string;
  /** For people; empty where none was given. */
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly kind: ParticipantKind;
}

export function participantInfo(
  rtc: RtcNode,
  { identity, name = '', metadata, attributes, kind }: RemoteParticipant,
): ParticipantInfo {
  return { identity, name, metadata, attributes: { ...attributes }, kind: kindOfParticipant(rtc, kind) };
}

/** A kind that the SDK does not know is taken for a person. */
export function kindOfParticipant({ ParticipantKind }: RtcNode, kind: number): ParticipantKind {
  return ParticipantKind[kind]?.toLowerCase() ?? 'standard';
}
