import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../../src/lib/errors.ts';
import { parseToken } from '../../../src/rooms/rest/hs256.ts';
import { createAgentToken, createParticipantToken } from '../../../src/transports/livekit/tokens.ts';

const who = { apiKey: 'key', apiSecret: 'secret', roomName: 'lobby', identity: 'ada' };

function claimsOf(token: string): Record<string, unknown> {
  const parsed = parseToken(token);
  expect(parsed?.isSignedBy('secret')).toBe(true);
  const { exp, nbf, ...claims } = parsed?.claims ?? {};
  return { ...claims, lifeSeconds: Number(exp) - Number(nbf) };
}

describe('createParticipantToken', () => {
  it('lets one person into one room, to speak, listen and write, for ten minutes', async () => {
    expect(claimsOf(await createParticipantToken(who))).toEqual({
      iss: 'key',
      sub: 'ada',
      lifeSeconds: 600,
      video: { roomJoin: true, room: 'lobby', canPublish: true, canSubscribe: true, canPublishData: true },
    });
  });

  it('carries what others see', async () => {
    const shown = { name: 'Ada', metadata: 'm', attributes: { language: 'en' } };
    expect(claimsOf(await createParticipantToken({ ...who, ...shown, ttlMs: 1_500 }))).toMatchObject({
      ...shown,
      lifeSeconds: 2,
    });
  });

  it.each([{ apiKey: '' }, { apiSecret: '' }, { identity: '' }, { roomName: '' }, { ttlMs: 0 }])(
    'refuses %o',
    async (option) => {
      await expect(createParticipantToken({ ...who, ...option })).rejects.toThrow(InvalidOptionError);
    },
  );
});

describe('createAgentToken', () => {
  it('joins as an agent that writes its own attributes, and says when its room is to close', async () => {
    expect(claimsOf(await createAgentToken(who))).toMatchObject({
      kind: 'agent',
      video: { roomJoin: true, room: 'lobby', agent: true, canUpdateOwnMetadata: true },
      roomConfig: { emptyTimeout: 300, departureTimeout: 20 },
    });
  });

  it('has no field that an older server does not know', async () => {
    const { roomConfig } = claimsOf(
      await createAgentToken({ ...who, emptyTimeoutMs: 1_500, departureTimeoutMs: 9_000 }),
    );
    expect(roomConfig).toEqual({ emptyTimeout: 2, departureTimeout: 9 });
  });
});
