/** LiveKit's RoomService as a function from request to response, byte for byte where it matters; without sockets. */

import type { FakeParticipant, FakeRooms } from './fake-rooms.ts';
import { allows, authenticate, type RoomGrantName, type TokenCheck } from './fake-tokens.ts';
import {
  decode,
  type Fields,
  type FieldType,
  json,
  page,
  participantJson,
  roomJson,
  TwirpError,
  text,
  type WireAnswer,
  type WireRequest,
} from './fake-wire.ts';

/** The state of the service. */
export interface RoomServiceState extends TokenCheck {
  /** The rooms of the server. */
  readonly rooms: FakeRooms;
}

interface Method {
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly grant: RoomGrantName;
  readonly run: (fields: Fields, state: RoomServiceState) => unknown;
}

const maxNameBytes = 256;
/** Of version 1.9. */
const maxMetadataBytes = 64_000;
const service = '/twirp/livekit.RoomService/';

const roomNotFound = (): TwirpError =>
  new TwirpError(404, 'not_found', 'twirp error unknown: requested room does not exist');
const participantNotFound = (): TwirpError =>
  new TwirpError(404, 'not_found', 'twirp error unknown: participant does not exist');

const identified = { room: 'string', identity: 'string' } as const;

const methods: Readonly<Record<string, Method>> = {
  CreateRoom: {
    fields: {
      name: 'string',
      metadata: 'string',
      empty_timeout: 'uint32',
      departure_timeout: 'uint32',
      max_participants: 'uint32',
    },
    grant: 'roomCreate',
    run: ({ name = '', ...rest }, { rooms, now }) => {
      if (Buffer.byteLength(text(name)) > maxNameBytes) {
        const message = `twirp error unknown: room name length exceeds limits: max length ${maxNameBytes}`;
        throw new TwirpError(400, 'invalid_argument', message);
      }
      const options = {
        creationTimeMs: now(),
        metadata: text(rest.metadata),
        // 0 and absent are the same on the wire: the server's default
        ...(rest.empty_timeout ? { emptyTimeout: Number(rest.empty_timeout) } : {}),
        ...(rest.departure_timeout ? { departureTimeout: Number(rest.departure_timeout) } : {}),
        maxParticipants: Number(rest.max_participants ?? 0),
      };
      return roomJson(rooms.create(text(name), options));
    },
  },
  ListRooms: {
    fields: { names: 'strings' },
    grant: 'roomList',
    run: ({ names }, { rooms }) => {
      const wanted = (names ?? []) as string[];
      const listed = rooms.all().filter(({ name }) => wanted.length === 0 || wanted.includes(name));
      return { rooms: listed.map(roomJson) };
    },
  },
  DeleteRoom: {
    fields: { room: 'string' },
    grant: 'roomCreate',
    run: ({ room }, { rooms }) => {
      if (!rooms.delete(text(room), 'ROOM_DELETED')) throw roomNotFound();
      return {};
    },
  },
  ListParticipants: {
    fields: { room: 'string' },
    grant: 'roomAdmin',
    run: ({ room }, { rooms }) => ({
      participants: [...(rooms.get(text(room))?.participants.values() ?? [])].map(participantJson),
    }),
  },
  GetParticipant: {
    fields: identified,
    grant: 'roomAdmin',
    run: (fields, { rooms }) => participantJson(findParticipant(fields, rooms)),
  },
  RemoveParticipant: {
    fields: identified,
    grant: 'roomAdmin',
    run: ({ room, identity }, { rooms, version }) => {
      const participant = rooms.get(text(room))?.participants.get(text(identity));
      if (participant !== undefined) participant.disconnect('PARTICIPANT_REMOVED');
      else if (version === '1.9') throw new TwirpError(404, 'not_found', 'participant not found');
      else throw participantNotFound();
      return {};
    },
  },
  UpdateParticipant: {
    fields: { ...identified, metadata: 'string', name: 'string', attributes: 'map' },
    grant: 'roomAdmin',
    run: (fields, { rooms }) => {
      const participant = findParticipant(fields, rooms);
      participant.metadata = text(fields.metadata) || participant.metadata;
      participant.name = text(fields.name) || participant.name;
      const merged = {
        ...participant.attributes,
        ...(fields.attributes as Record<string, string> | undefined),
      };
      participant.attributes = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
      return participantJson(participant);
    },
  },
  UpdateRoomMetadata: {
    fields: { room: 'string', metadata: 'string' },
    grant: 'roomAdmin',
    run: ({ room: name, metadata }, { rooms, version }) => {
      if (version === '1.9' && Buffer.byteLength(text(metadata)) > maxMetadataBytes) {
        const argument = 'metadata size exceeds limits';
        throw new TwirpError(400, 'invalid_argument', `${argument} ${maxMetadataBytes}`, { argument });
      }
      const room = rooms.get(text(name));
      if (room === undefined) throw roomNotFound();
      room.metadata = text(metadata) || room.metadata;
      return roomJson(room);
    },
  },
};

/** The Twirp method of a URL, such as `DeleteRoom`; `undefined` for any other URL. */
export function methodOf(url: string): string | undefined {
  const path = pathOf(url);
  return path.startsWith(service) ? path.slice(service.length) : undefined;
}

/** Checks as the real server does: the token, then the route, the body, the grant, and the call itself. */
export function answer(request: WireRequest, state: RoomServiceState): WireAnswer {
  const claims = authenticate(request, state);
  if (typeof claims === 'string') return page(401, claims);
  const path = pathOf(request.url);
  if (path === '/') return page(200, 'OK');
  if (path.includes('//')) return { status: 307, headers: { location: path.replace(/\/+/g, '/') }, body: '' };
  const name = methodOf(request.url);
  if (name === undefined) return page(404, '404 page not found\n');
  try {
    return json(200, call(name, path, request, claims, state));
  } catch (error) {
    if (!(error instanceof TwirpError)) throw error;
    const { status, code, message, meta } = error;
    return json(status, { code, msg: message, ...(meta && { meta }) });
  }
}

function call(
  name: string,
  path: string,
  { method: verb, headers, body }: WireRequest,
  claims: Fields,
  state: RoomServiceState,
): unknown {
  const badRoute = (message: string): TwirpError =>
    new TwirpError(404, 'bad_route', message, { twirp_invalid_route: `${verb} ${path}` });
  if (verb !== 'POST') throw badRoute(`unsupported method ${quote(verb)} (only POST is allowed)`);
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) throw badRoute(`no handler for path ${quote(path)}`);
  const contentType = text(headers['content-type']);
  if (contentType.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw badRoute(`unexpected Content-Type: ${quote(contentType)}`);
  }
  const fields = decode(body, method.fields);
  if (!allows(claims, method.grant, fields))
    throw new TwirpError(401, 'unauthenticated', 'permissions denied');
  return method.run(fields, state);
}

function findParticipant({ room, identity }: Fields, rooms: FakeRooms): FakeParticipant {
  const participant = rooms.get(text(room))?.participants.get(text(identity));
  if (participant === undefined) throw participantNotFound();
  return participant;
}

/** Without the query, and with a leading double slash collapsed, as by the server. */
function pathOf(url: string): string {
  const path = url.split('?')[0] ?? '';
  return path.startsWith('//') ? path.slice(1) : path;
}

function quote(value: string): string {
  return JSON.stringify(value);
}
