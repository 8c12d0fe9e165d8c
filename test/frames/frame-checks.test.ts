import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  type AudioChunk,
  InputAudioRawFrame,
  OutputAudioRawFrame,
  TTSAudioRawFrame,
  UserAudioRawFrame,
} from '../../src/frames/audio.ts';
import {
  type ImageChunk,
  InputImageRawFrame,
  OutputImageRawFrame,
  SpriteFrame,
  UserImageRawFrame,
} from '../../src/frames/images.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { TTSSpeakFrame } from '../../src/frames/speaking.ts';
import { InputTextRawFrame, TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';

const sound: AudioChunk = { audio: new Int16Array(320), sampleRate: 16_000, numChannels: 1 };
const picture: ImageChunk = { image: new Uint8Array(12), width: 2, height: 2, format: 'RGB' };

class UserSound extends UserAudioRawFrame {
  constructor(chunk: AudioChunk) {
    super({ ...chunk, userId: 'ada' });
  }
}

class UserPicture extends UserImageRawFrame {
  constructor(chunk: ImageChunk) {
    super({ ...chunk, userId: 'ada' });
  }
}

const refusal = (make: () => unknown): InvalidOptionError => {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error('It was not refused');
};

describe.each([InputAudioRawFrame, UserSound, OutputAudioRawFrame, TTSAudioRawFrame])('%o', (frameClass) => {
  it.each<[string, unknown]>([
    ['Buffer of 640 bytes', Buffer.alloc(640)],
    ['Uint8Array of 640 bytes', new Uint8Array(640)],
    ['Float32Array of 1280 bytes', new Float32Array(320)],
    ['undefined', undefined],
    ["'AAAA'", 'AAAA'],
  ])('refuses a %s as sound, and says so', (came, audio) => {
    const error = refusal(() => new frameClass({ ...sound, audio: audio as unknown as Int16Array }));
    expect(error.message).toContain('Option "audio" must be an Int16Array');
    expect(error.message).toContain(came);
  });

  it.each([
    { sampleRate: Number.NaN },
    { sampleRate: 0 },
    { sampleRate: -16_000 },
    { sampleRate: Number.POSITIVE_INFINITY },
    { sampleRate: 44_100.5 },
    { sampleRate: 999 },
    { sampleRate: 768_001 },
    { sampleRate: '16000' as unknown as number },
    { numChannels: Number.NaN },
    { numChannels: 0 },
    { numChannels: -1 },
    { numChannels: 1.5 },
    { numChannels: undefined as unknown as number },
  ])('refuses %o', (fields) => {
    const [[option, value] = []] = Object.entries(fields);
    const { message } = refusal(() => new frameClass({ ...sound, ...fields }));
    expect(message).toContain(`Option "${option}" must be a whole number`);
    expect(message).toContain(typeof value === 'string' ? `got '${value}'` : `got ${value}`);
  });

  it('refuses part of a sample', () => {
    const { message } = refusal(
      () => new frameClass({ ...sound, audio: new Int16Array(321), numChannels: 2 }),
    );
    expect(message).toContain('321 values');
  });

  it.each([
    sound,
    { ...sound, numChannels: 2 },
    { ...sound, audio: new Int16Array(0) },
    { ...sound, sampleRate: 8_000 },
    { ...sound, sampleRate: 192_000 },
    { ...sound, audio: new Int16Array(new SharedArrayBuffer(640)) },
  ])('takes sound as it is', (chunk) => {
    expect(new frameClass(chunk)).toMatchObject({ ...chunk });
  });

  it('takes an Int16Array of another realm', () => {
    const audio = runInNewContext('new Int16Array(320)') as Int16Array;
    expect(new frameClass({ ...sound, audio }).audio).toBe(audio);
  });
});

describe.each([InputImageRawFrame, UserPicture, OutputImageRawFrame])('%o', (frameClass) => {
  it.each<[string, Partial<ImageChunk>]>([
    ['Option "image" must be a Uint8Array', { image: 'AAAA' as unknown as Uint8Array }],
    ['not a Int16Array of 24 bytes', { image: new Int16Array(12) as unknown as Uint8Array }],
    ['Option "width" must be a whole number', { width: Number.NaN }],
    ['Option "width" must be a whole number', { width: 0 }],
    ['Option "height" must be a whole number', { height: -2 }],
    ['Option "height" must be a whole number', { height: 1.5 }],
    ['Option "format" must be a text', { format: 3 as unknown as string }],
    ['12 bytes, as 2 × 2 pixels of RGB need', { image: new Uint8Array(11) }],
    ['16 bytes, as 2 × 2 pixels of RGBA need', { format: 'RGBA' }],
  ])('refuses a picture: %s', (text, fields) => {
    expect(refusal(() => new frameClass({ ...picture, ...fields })).message).toContain(text);
  });

  it.each<Partial<ImageChunk>>([
    {},
    { image: Buffer.alloc(12) },
    { image: new Uint8Array(5), format: 'JPEG' },
    { image: new Uint8Array(5), format: undefined },
  ])('takes a picture as it is', (fields) => {
    expect(new frameClass({ ...picture, ...fields })).toMatchObject({ ...picture, ...fields });
  });
});

describe('SpriteFrame', () => {
  it.each([undefined, new OutputImageRawFrame(picture), [picture]])('refuses %o as pictures', (images) => {
    expect(refusal(() => new SpriteFrame(images as never)).message).toContain('list of OutputImageRawFrames');
  });
});

describe.each([TextFrame, LLMTextFrame, TTSSpeakFrame, InputTextRawFrame])('%o', (frameClass) => {
  it.each([undefined, null, 3, Buffer.from('a')])('refuses %o as text', (text) => {
    expect(refusal(() => new frameClass(text as never)).message).toContain('Option "text" must be a string');
  });
});
