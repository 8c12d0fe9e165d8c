/** Checks of what constructors of frames get. They must be fast: sound is checked chunk by chunk. */

import { InvalidOptionError } from '../lib/errors.ts';
import { checkCount, checkRateHz } from '../lib/options.ts';

type Unchecked<Field extends string> = { readonly [F in Field]: unknown };

/** Bytes per pixel of formats without compression or padding; of others the length is not known. */
const bytesPerPixel: Readonly<Record<string, number>> = { RGB: 3, RGBA: 4, BGRA: 4, ARGB: 4, ABGR: 4 };

/** @throws {InvalidOptionError} It is no 16-bit PCM, has part of a sample too many, or its rate or channels are none. */
export function checkAudio(chunk: Unchecked<'audio' | 'sampleRate' | 'numChannels'>): void {
  const { audio, sampleRate, numChannels } = chunk;
  if (!isTyped(audio, Int16Array)) refuseBytes('audio', 'an Int16Array of interleaved 16-bit samples', audio);
  checkRateHz('sampleRate', sampleRate);
  checkCount('numChannels', numChannels);
  if (audio.length % numChannels !== 0) {
    const expected = `whole samples, a multiple of ${numChannels} channels`;
    throw new InvalidOptionError('audio', expected, `${audio.length} values`);
  }
}

/** @throws {InvalidOptionError} It is no bytes, or not as many as it has pixels, or has no size. */
export function checkImage(chunk: Unchecked<'image' | 'width' | 'height'> & { format?: unknown }): void {
  const { image, width, height, format } = chunk;
  if (!isTyped(image, Uint8Array)) refuseBytes('image', 'a Uint8Array', image);
  checkPixels('width', width);
  checkPixels('height', height);
  if (format === undefined) return;
  if (typeof format !== 'string') throw new InvalidOptionError('format', 'a text such as "RGB"', format);
  const expected = (bytesPerPixel[format] ?? 0) * width * height;
  if (expected === 0 || image.length === expected) return;
  const pixels = `${expected} bytes, as ${width} × ${height} pixels of ${format} need`;
  throw new InvalidOptionError('image', pixels, `${image.length} bytes`);
}

/** @throws {InvalidOptionError} It is no string. */
export function checkFrameText(text: unknown): void {
  if (typeof text !== 'string') throw new InvalidOptionError('text', 'a string', text);
}

function checkPixels(option: string, value: unknown): asserts value is number {
  if (Number.isInteger(value) && (value as number) > 0) return;
  throw new InvalidOptionError(option, 'a whole number of pixels above 0', value);
}

/** Also true for an array of another realm, such as a test runner's. */
function isTyped(
  value: unknown,
  type: typeof Int16Array | typeof Uint8Array,
): value is Int16Array | Uint8Array {
  return value instanceof type || (value as Int16Array | undefined)?.[Symbol.toStringTag] === type.name;
}

function refuseBytes(option: string, expected: string, actual: unknown): never {
  if (!ArrayBuffer.isView(actual)) throw new InvalidOptionError(option, expected, actual);
  const came = `${actual.constructor.name} of ${actual.byteLength} bytes`;
  throw new InvalidOptionError(option, `${expected}, not a ${came}`);
}
