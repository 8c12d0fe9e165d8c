import { describe, expect, it } from 'vitest';
import { generateRoomName, isGeneratedRoomName } from '../../src/rooms/generated-room-name.ts';

const digits = '0123456789abcdef'.repeat(2);

describe('generateRoomName', () => {
  it('has 128 random bits, and differs each time', () => {
    expect(generateRoomName()).toMatch(/^endframe-[0-9a-f]{32}$/);
    expect(generateRoomName()).not.toBe(generateRoomName());
  });

  it('knows its own names again, with and without a prefix', () => {
    expect(isGeneratedRoomName(generateRoomName())).toBe(true);
    expect(generateRoomName('sales-')).toMatch(/^sales-endframe-/);
    expect(isGeneratedRoomName(generateRoomName('sales-'))).toBe(true);
  });

  it.each([
    'endframe-',
    `endframe-${digits.slice(1)}`,
    `endframe-${digits}0`,
    `sales-${digits}`,
    `endframe-${digits}\n`,
    `endframe-${digits.toUpperCase()}`,
  ])('takes %j for the name of others', (name) => expect(isGeneratedRoomName(name)).toBe(false));
});
