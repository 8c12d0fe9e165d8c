/** Which rooms the sweeper may touch. Pure. */

import { isGeneratedRoomName } from '../rooms/generated-room-name.ts';
import type { ListedRoom } from '../rooms/room-rest.ts';

export interface OwnershipRule {
  /** What the names of our rooms begin with. */
  readonly prefix: string;
  /**
   * `required`: besides the prefix, a generated name or the key in the room's metadata. `prefix-only` is for
   * bots in other languages, whose rooms have nothing else: the prefix must be theirs alone then.
   */
  readonly marker: 'required' | 'prefix-only';
  /** A key of the room's metadata, as a JSON object; its value must be neither `false` nor `null`. */
  readonly metadataKey: string;
}

/** `unmarked`: the name begins like ours and nothing else says so; its marker may have been overwritten. */
export type Ownership = 'ours' | 'unmarked' | 'foreign';

export function ownershipOf(
  { name, metadata }: Pick<ListedRoom, 'name' | 'metadata'>,
  { prefix, marker, metadataKey }: OwnershipRule,
): Ownership {
  if (prefix === '' || !name.startsWith(prefix)) return 'foreign';
  if (marker === 'prefix-only' || isGeneratedRoomName(name)) return 'ours';
  return hasKey(metadata, metadataKey) ? 'ours' : 'unmarked';
}

function hasKey(metadata: string, key: string): boolean {
  if (!metadata.startsWith('{')) return false;
  try {
    const json = JSON.parse(metadata) as Record<string, unknown>;
    return Object.hasOwn(json, key) && json[key] !== false && json[key] !== null;
  } catch {
    return false;
  }
}
