/**
 * Fifty turns for smart turn, the same everywhere and every time: speech by eSpeak NG, and sounds by whole numbers.
 *
 * `node --import ./test/support/typescript-loader.mjs test/conformance/smart-turn-clips.ts FOLDER` writes them for
 * record-smart-turn.py.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import espeak from 'espeak-ng';
import { LinearResampler } from '../../src/audio/resampler.ts';

/** A turn of one user, as a voice activity detector has heard it. */
export interface Clip {
  readonly name: string;
  /** Mono, 16 000 hertz, a whole number of pieces of 20 ms. */
  readonly audio: Int16Array;
  /** For each piece of 20 ms: whether it counts as speech. */
  readonly isSpeech: readonly boolean[];
}

/** Of all clips, in hertz. */
export const clipRate = 16_000;
/** A piece, in samples: 20 ms. */
export const clipPiece = 320;

const fullScale = 32_767;
/** How late the detector notices the begin and the end of speech, in pieces. */
const vadDelay = 10;

const finished = [
  ['en-us', '160', 'I would like to book a table for two people at seven.'],
  ['en-us', '220', 'No, thank you.'],
  ['en-gb', '130', 'Could you tell me when the next train to London leaves?'],
  ['de', '160', 'Das war alles, vielen Dank.'],
  ['fr', '150', 'Je voudrais parler à quelqu’un, s’il vous plaît.'],
  ['es', '170', 'Mi número es el siete cuatro dos.'],
] as const;
const unfinished = [
  ['en-us', '160', 'My number is seven, four, and'],
  ['en-us', '130', 'Well, I was thinking that maybe we could'],
  ['en-gb', '200', 'So the thing is, um,'],
  ['de', '150', 'Ich hätte gerne einen Termin am'],
  ['fr', '160', 'Alors, je pense que'],
  [
    'en-us',
    '150',
    'It started last week, when the machine that you sent me made a noise, and then, after I had called your ' +
      'colleague, who was very friendly by the way, it did work for a day or two, but since then it has',
  ],
] as const;

/** The clips that are made of whole numbers: at once, and without a synthesizer. */
export function soundClips(): Clip[] {
  const sounds: Record<string, Int16Array> = {
    'a steady tone': voice({ ms: 1_500, fromHz: 220, toHz: 220 }),
    'a falling tone': voice({ ms: 1_200, fromHz: 260, toHz: 110 }),
    'a rising tone': voice({ ms: 1_200, fromHz: 110, toHz: 260 }),
    'falling syllables': voice({ ms: 3_000, fromHz: 220, toHz: 100, syllableMs: 180 }),
    'rising syllables': voice({ ms: 3_000, fromHz: 120, toHz: 280, syllableMs: 150 }),
    'level syllables': voice({ ms: 5_000, fromHz: 160, toHz: 160, syllableMs: 220 }),
    'syllables for longer than 8 s': voice({ ms: 11_000, fromHz: 200, toHz: 120, syllableMs: 200 }),
    'a very short tone': voice({ ms: 60, fromHz: 300, toHz: 200 }),
    'a quiet voice': scaled(voice({ ms: 2_000, fromHz: 180, toHz: 120, syllableMs: 200 }), 0.01),
    'a loud voice, clipped': scaled(voice({ ms: 2_000, fromHz: 180, toHz: 120, syllableMs: 200 }), 8),
    noise: noise(2_000, 6_000, 1),
    'quiet noise': noise(4_000, 40, 2),
    'noise for longer than 8 s': noise(9_000, 10_000, 3),
    'syllables in noise': mixed(
      voice({ ms: 3_000, fromHz: 220, toHz: 100, syllableMs: 180 }),
      noise(3_000, 2_000, 4),
    ),
    'silence that counts as speech': new Int16Array(clipRate),
    'a constant': new Int16Array(clipRate).fill(2_000),
  };
  return Object.entries(sounds).map(([name, sound], index) => turn(name, [sound], (index % 5) * 17));
}

/** All fifty. */
export async function smartTurnClips(): Promise<Clip[]> {
  const clips = soundClips();
  for (const [index, [language, speed, text]] of [...finished, ...unfinished].entries()) {
    const said = await speech(language, speed, text);
    const name = `${language}, ${text.slice(0, 30)}`;
    const half = said.subarray(0, said.length >> 1);
    clips.push(turn(name, [said], index * 9));
    clips.push(turn(`${name}, first half`, [half], index * 5));
    if (index % 2 === 0) clips.push(turn(`${name}, after a pause`, [half, silence(600), said], 40));
    else clips.push(turn(`${name}, in noise`, [mixed(said, noise(20_000, 1_500, index + 5))], 20));
  }
  return clips.slice(0, 50);
}

/** What identifies a clip's samples. */
export function digestOf({ audio }: Pick<Clip, 'audio'>): string {
  const bytes = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Speech with silence around it, and what a detector says about that. */
function turn(name: string, sounds: readonly Int16Array[], piecesBefore: number): Clip {
  const pieces: Int16Array[] = [];
  const isSpeech: boolean[] = [];
  const add = (sound: Int16Array, from: boolean, to: boolean): void => {
    const count = Math.ceil(sound.length / clipPiece);
    const whole = new Int16Array(count * clipPiece);
    whole.set(sound);
    pieces.push(whole);
    for (let index = 0; index < count; index += 1) isSpeech.push(index < vadDelay ? from : to);
  };
  add(silence(piecesBefore * 20), false, false);
  for (const [index, sound] of sounds.entries()) add(sound, index > 0, index % 2 === 0);
  // something so short is noticed as well
  if (!isSpeech.includes(true)) isSpeech.fill(true, -1);
  add(silence(vadDelay * 20), true, true);
  return { name, audio: joined(pieces), isSpeech };
}

interface VoiceOptions {
  readonly ms: number;
  readonly fromHz: number;
  readonly toHz: number;
  /** Silent in the last third of each. Default: one of the whole length, without silence. */
  readonly syllableMs?: number;
}

/** A sawtooth, whose pitch glides. */
function voice({ ms, fromHz, toHz, syllableMs }: VoiceOptions): Int16Array {
  const length = (ms * clipRate) / 1_000;
  const syllable = ((syllableMs ?? ms) * clipRate) / 1_000;
  let phase = 0;
  return Int16Array.from({ length }, (_, index) => {
    phase = (phase + fromHz + Math.trunc(((toHz - fromHz) * index) / length)) % clipRate;
    const within = index % syllable;
    const isSilent = syllableMs !== undefined && within * 3 > syllable * 2;
    const onset = Math.min(within, 400);
    return isSilent ? 0 : Math.trunc(((phase * 2 - clipRate) * onset) / 800);
  });
}

/** By a linear congruential generator. */
function noise(ms: number, amplitude: number, seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: (ms * clipRate) / 1_000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % (2 * amplitude + 1)) - amplitude;
  });
}

function silence(ms: number): Int16Array {
  return new Int16Array((ms * clipRate) / 1_000);
}

function scaled(sound: Int16Array, factor: number): Int16Array {
  return sound.map((sample) => clipped(Math.trunc(sample * factor)));
}

/** As long as the first one. */
function mixed(sound: Int16Array, other: Int16Array): Int16Array {
  return sound.map((sample, index) => clipped(sample + (other[index] ?? 0)));
}

function clipped(sample: number): number {
  return Math.max(-fullScale, Math.min(fullScale, sample));
}

function joined(sounds: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(sounds.reduce((length, sound) => length + sound.length, 0));
  let at = 0;
  for (const sound of sounds) {
    all.set(sound, at);
    at += sound.length;
  }
  return all;
}

async function speech(language: string, speed: string, text: string): Promise<Int16Array> {
  const { FS } = await espeak({ arguments: ['-v', language, '-s', speed, '-w', 'speech.wav', text] });
  const headerBytes = 44;
  const spoken = new Int16Array(FS.readFile('speech.wav').slice(headerBytes).buffer);
  return new LinearResampler(22_050, clipRate, 1).push(spoken);
}

async function write(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const list = (await smartTurnClips()).map((clip, index) => {
    const file = `${index}.pcm`;
    writeFileSync(join(folder, file), clip.audio);
    return { name: clip.name, sha256: digestOf(clip), file, isSpeech: clip.isSpeech.map(Number).join('') };
  });
  writeFileSync(join(folder, 'clips.json'), JSON.stringify(list, null, 1));
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder !== undefined) await write(folder);
