import { describe, expect } from 'vitest';
import type { AudioChunk } from '../../src/frames/audio.ts';
import { HeardAudio, type HeardAudioReport } from '../../src/testing/heard-audio.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { encodeMessage } from '../../src/transports/messages.ts';
import { sleep, useVirtualTime } from '../support/fake-time.ts';
import { type OtherSide, transportContract } from './transport.contract.ts';

const rateHz = 8_000;
const pieceMs = 20;

describe('MemoryTransport', () => {
  useVirtualTime();

  transportContract(async (params) => {
    const transport = new MemoryTransport({ params });
    return {
      transport,
      joins: async (identity, kind) => {
        transport.participantJoins(identity, kind);
        return otherSide(transport, identity);
      },
      botIsThere: async () => transport.isConnected,
      expectOver: async () => expect(transport.history).toEqual(['joined', 'left']),
    };
  });
});

function otherSide(transport: MemoryTransport, identity: string): OtherSide {
  return {
    speaks: async (frequencyHz, durationMs) => {
      for (let atMs = 0; atMs < durationMs; atMs += pieceMs) {
        transport.participantSpeaks(identity, spoken(frequencyHz, atMs));
        await sleep(pieceMs);
      }
    },
    sends: async (message) => transport.participantSends(identity, message),
    presses: async (keys) => transport.participantPresses(identity, keys),
    leaves: async () => transport.participantLeaves(identity),
    heard: async () => heard(transport),
    get messages() {
      return transport.messages.map(({ message }) => new TextDecoder().decode(encodeMessage(message)));
    },
    get keys() {
      return transport.keys;
    },
    isAlone: new Promise<void>((resolve) => void transport.once('left', resolve)),
  };
}

function spoken(frequencyHz: number, atMs: number): AudioChunk {
  const first = (rateHz * atMs) / 1_000;
  const audio = Int16Array.from({ length: (rateHz * pieceMs) / 1_000 }, (_, index) =>
    Math.round(12_000 * Math.sin((2 * Math.PI * frequencyHz * (first + index)) / rateHz)),
  );
  return { audio, sampleRate: rateHz, numChannels: 1 };
}

/** All that was played, in pieces of the grain of a report. */
function heard({ played }: MemoryTransport): HeardAudioReport {
  const all = new HeardAudio();
  for (const { audio, sampleRate } of played) {
    const length = sampleRate / 100;
    for (let at = 0; at < audio.length; at += length) all.add(audio.subarray(at, at + length), sampleRate, 0);
  }
  return all.report();
}
