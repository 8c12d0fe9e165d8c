/** LiveKit's JSON (snake_case, 64-bit integers as strings) as our types. */

import type { JsonObject } from './classify-answer.ts';
import type { ListedParticipant, ListedRoom } from './room-rest.ts';

export function listedRoom(json: JsonObject): ListedRoom {
  return {
    name: text(json.name),
    sid: text(json.sid),
    // older servers know only seconds
    creationTimeMs: number(json.creation_time_ms) || number(json.creation_time) * 1_000,
    metadata: text(json.metadata),
  };
}

export function listedParticipant(json: JsonObject): ListedParticipant {
  const permission = object(json.permission);
  return {
    identity: text(json.identity),
    sid: text(json.sid),
    state: text(json.state),
    kind: text(json.kind) || 'STANDARD',
    isAgent: json.kind === 'AGENT' || permission.agent === true,
    isRecorder: permission.recorder === true,
    attributes: Object.fromEntries(
      Object.entries(object(json.attributes)).map(([name, value]) => [name, text(value)]),
    ),
    joinedAtMs: number(json.joined_at_ms) || number(json.joined_at) * 1_000 || undefined,
  };
}

/** The objects in a list. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}
