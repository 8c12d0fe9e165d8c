/** A voice for the examples that needs no service: the synthesizer eSpeak NG, as WebAssembly. */

import { TTSAudioRawFrame } from 'endframe';
import espeak from 'espeak-ng';

const wavHeaderBytes = 44;
const sampleRate = 22_050;
/** Somebody who has just joined hears a moment later what is said. */
const pauseMs = 300;

/** Says a text in English, after a short pause. Takes half a second: prepare what will surely be said. */
export async function speech(text: string): Promise<TTSAudioRawFrame> {
  const { FS } = await espeak({ arguments: ['-v', 'en-us', '-s', '160', '-w', 'speech.wav', text] });
  const spoken = new Int16Array(FS.readFile('speech.wav').slice(wavHeaderBytes).buffer);
  const audio = new Int16Array((sampleRate * pauseMs) / 1_000 + spoken.length);
  audio.set(spoken, audio.length - spoken.length);
  return new TTSAudioRawFrame({ audio, sampleRate, numChannels: 1 });
}
