const sampleRate = 48_000;
const headerBytes = 44;

/** One second of a tone as a WAV file: whole periods, so that it can be played in a loop. 16 bit, one channel. */
export function toneWav(hertz: number): Buffer {
  const wav = Buffer.alloc(headerBytes + 2 * sampleRate);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(sampleRate, 24);
  wav.writeUInt32LE(2 * sampleRate, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * sampleRate, 40);
  const step = (2 * Math.PI * Math.round(hertz)) / sampleRate;
  for (let index = 0; index < sampleRate; index += 1) {
    wav.writeInt16LE(Math.round(12_000 * Math.sin(step * index)), headerBytes + 2 * index);
  }
  return wav;
}
