import type { RemoteParticipant, RtcNode } from './load-rtc-node.ts';

/** What LiveKit knows of somebody in the room, now. */
export interface ParticipantInfo {
  readonly identity: string;
  /** For people; empty where none was given. */
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** `STANDARD`, `INGRESS`, `EGRESS`, `SIP`, `AGENT`, or a later one. */
  readonly kind: string;
}

export function participantInfo(
  { ParticipantKind }: RtcNode,
  { identity, name = '', metadata, attributes, kind }: RemoteParticipant,
): ParticipantInfo {
  return {
    identity,
    name,
    metadata,
    attributes: { ...attributes },
    kind: ParticipantKind[kind] ?? 'STANDARD',
  };
}
