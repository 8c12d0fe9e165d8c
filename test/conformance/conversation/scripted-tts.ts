/** A voice whose words all last as long: `conversation-traces/README.md`, section 4. */

import { type TTSPart, TTSService } from '../../../src/conversation.ts';
import { pause } from './pause.ts';
import type { TTSSpec } from './scenario.ts';

const sampleRate = 16_000;

export class ScriptedTTS extends TTSService {
  readonly #script: TTSSpec;

  constructor(script: TTSSpec) {
    super();
    this.#script = script;
  }

  protected override async *synthesize(
    text: string,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<TTSPart> {
    const { firstMs = 0, wordMs = 100, gapMs = 0, lastMs = 0, wordTimes = false, fails } = this.#script;
    await pause(firstMs, signal);
    if (text.trim() === fails?.trim()) throw new Error(`The voice cannot say "${text}"`);
    const words = text.split(/\s+/).filter((word) => word !== '');
    if (wordTimes) {
      yield { type: 'words', words: words.map((word, index) => ({ text: word, startMs: index * wordMs })) };
    }
    for (const index of words.keys()) {
      if (index > 0) await pause(gapMs, signal);
      yield { type: 'audio', audio: hum(wordMs), sampleRate };
    }
    await pause(lastMs, signal);
  }
}

/** Sound without a pause in it. */
function hum(ms: number): Int16Array {
  return new Int16Array((sampleRate / 1_000) * ms).fill(1_000);
}
