import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessTokenSigner } from '../../../src/rooms/rest/access-token.ts';

const secret = 'a-secret-for-tests';
const now = 1_790_000_000;

function parts(token: string): { header: unknown; claims: unknown; signed: boolean } {
  const [header = '', claims = '', signature] = token.split('.');
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  const expected = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
  return { header: decode(header), claims: decode(claims), signed: signature === expected };
}

describe('AccessTokenSigner', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now * 1_000 + 999 }));
  afterEach(() => void vi.useRealTimers());

  it('signs exactly the claims that Pipecat signs', async () => {
    const token = await new AccessTokenSigner('key', secret).sign({ roomCreate: true });
    expect(parts(token)).toEqual({
      header: { alg: 'HS256', typ: 'JWT' },
      claims: { iss: 'key', sub: 'key', nbf: now, exp: now + 60, video: { roomCreate: true } },
      signed: true,
    });
  });

  it.each([
    [600_000, now + 600],
    [-600_000, now - 600],
  ])('shifts both times by a clock offset of %d ms', async (offsetMs, nbf) => {
    const token = await new AccessTokenSigner('key', secret).sign({ roomList: true }, offsetMs);
    expect(parts(token).claims).toMatchObject({ nbf, exp: nbf + 60, video: { roomList: true } });
  });

  it('imports the secret once', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const signer = new AccessTokenSigner('key', secret);
    await Promise.all([signer.sign({ roomList: true }), signer.sign({ roomList: true })]);
    await signer.sign({ roomAdmin: true, room: 'r' });
    expect(importKey).toHaveBeenCalledTimes(1);
    importKey.mockRestore();
  });
});
