/** RoomService's JSON on the wire, encoded and decoded as by Twirp and protojson. */

import type { FakeParticipant, FakeRoom } from './fake-rooms.ts';

/** A request with its body. */
export interface WireRequest {
  /** The HTTP method. */
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** The headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body. */
  readonly body: Buffer;
}

/** A response. */
export interface WireAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: string | Buffer;
}

/** The fields of a message by their proto names. */
export type Fields = Readonly<Record<string, unknown>>;

/** Types of the fields of the supported calls. */
export type FieldType = 'string' | 'strings' | 'uint32' | 'map';

/** An error response of Twirp. */
export class TwirpError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The server's error code. */
  readonly code: string;
  /** Details of the error. */
  readonly meta: Readonly<Record<string, string>> | undefined;

  constructor(status: number, code: string, message: string, meta?: Readonly<Record<string, string>>) {
    super(message);
    this.status = status;
    this.code = code;
    this.meta = meta;
  }
}

const malformed = (): TwirpError => new TwirpError(400, 'malformed', 'the json request could not be decoded');
/** The fields of a JSON body by their proto names; the camelCase ones are accepted too, others are ignored. */
export function decode(body: Buffer, types: Readonly<Record<string, FieldType>>): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw malformed();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  const fields: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(types)) {
    const camelCase = name.replace(/_(.)/g, (_match, letter: string) => letter.toUpperCase());
    const given = (value as Fields)[name] ?? (value as Fields)[camelCase];
    if (given === null || given === undefined) continue;
    if (!fits(given, type)) throw malformed();
    fields[name] = given;
  }
  return fields;
}

function fits(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'string':
      // lone surrogates are no valid text
      return typeof value === 'string' && !/\p{Surrogate}/u.test(value);
    case 'strings':
      return Array.isArray(value) && value.every((item) => fits(item, 'string'));
    case 'map':
      return (
        typeof value === 'object' &&
        !Array.isArray(value) &&
        Object.values(value as object).every((item) => fits(item, 'string'))
      );
    case 'uint32': {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      return Number.isInteger(number) && (number as number) >= 0 && (number as number) < 2 ** 32;
    }
  }
}

/** A room as protojson. */
export function roomJson(room: FakeRoom): Fields {
  const humans = [...room.participants.values()].filter(({ agent, kind }) => !agent && kind !== 'AGENT');
  return {
    sid: room.sid,
    name: room.name,
    empty_timeout: room.emptyTimeout,
    departure_timeout: room.departureTimeout,
    max_participants: room.maxParticipants,
    creation_time: String(Math.floor(room.creationTimeMs / 1_000)),
    creation_time_ms: String(room.creationTimeMs),
    turn_password: room.turnPassword,
    enabled_codecs: [{ mime: 'audio/opus', fmtp_line: '' }],
    metadata: room.metadata,
    num_participants: humans.length,
    num_publishers: 0,
    active_recording: false,
    version: null,
  };
}

/** A participant as protojson. */
export function participantJson({ sid, identity, joinedAtMs, ...rest }: FakeParticipant): Fields {
  return {
    sid,
    identity,
    state: 'ACTIVE',
    tracks: [],
    metadata: rest.metadata,
    joined_at: String(Math.floor(joinedAtMs / 1_000)),
    joined_at_ms: String(joinedAtMs),
    name: rest.name,
    version: 2,
    permission: {
      can_subscribe: true,
      can_publish: true,
      can_publish_data: true,
      can_publish_sources: [],
      hidden: false,
      recorder: false,
      can_update_metadata: false,
      agent: rest.agent,
      can_subscribe_metrics: false,
    },
    region: '',
    is_publisher: false,
    kind: rest.kind,
    attributes: rest.attributes,
    disconnect_reason: 'UNKNOWN_REASON',
    kind_details: [],
    data_tracks: [],
  };
}

/** The value if it is a string; an empty string otherwise. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A JSON response. */
export function json(status: number, body: unknown): WireAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** A plain text response, as by the server ahead of Twirp. */
export function page(status: number, body: string): WireAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
