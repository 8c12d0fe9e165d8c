import type { ListedParticipant } from '../../src/rooms/rest/room-rest.ts';

/** Somebody in a room, as LiveKit lists them: a person who is there, where nothing else is said. */
export function listedParticipant(
  identity: string,
  more: Partial<ListedParticipant> = {},
): ListedParticipant {
  const base = {
    sid: `PA_${identity}`,
    state: 'ACTIVE',
    kind: 'STANDARD',
    isAgent: false,
    isRecorder: false,
  };
  return { ...base, identity, attributes: {}, ...more };
}
