import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { LiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { nodeArgs } from '../../support/run-typescript.ts';
import { tokenFor } from '../../support/tokens.ts';

/** A picture of one color; `rgb` of the pixel in its middle. */
export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly rgb: readonly number[];
}

export type PeerOrder =
  | { readonly does: 'join'; readonly url: string; readonly token: string }
  | { readonly does: 'setAttributes'; readonly attributes: Readonly<Record<string, string>> }
  | { readonly does: 'setMetadata'; readonly metadata: string }
  | { readonly does: 'write'; readonly text: string }
  | { readonly does: 'press'; readonly code: number; readonly digit: string }
  | ({ readonly does: 'show' } & Seen)
  | { readonly does: 'speak' | 'share'; readonly frequencyHz: number }
  | { readonly does: 'stopShowing' | 'stopSpeaking' | 'tell' };

export interface PeerAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** What a peer knows; tracks by their name, participants by their identity. */
export interface PeerFacts {
  readonly messages: readonly string[];
  readonly keys: readonly string[];
  readonly muted: Readonly<Record<string, boolean>>;
  readonly seen: Readonly<Record<string, Seen>>;
  /** Of what is heard now; 0 for silence. */
  readonly heardHz: Readonly<Record<string, number>>;
  readonly attributes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Somebody in the bot's room, in a process of their own that ends with the test. */
export interface Peer {
  does(order: PeerOrder): Promise<unknown>;
  tells(): Promise<PeerFacts>;
  /** Resolves when the peer knows something that matches; fails with what it knows otherwise. */
  knows(facts: { readonly [Name in keyof PeerFacts]?: unknown }): Promise<void>;
}

export async function joinAsPeer(server: LiveKitServer, roomName: string, identity = 'ada'): Promise<Peer> {
  const program = fileURLToPath(new URL('./peer-program.ts', import.meta.url));
  const child = fork(program, { execArgv: [...nodeArgs], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const waiting = new Map<number, (answer: PeerAnswer) => void>();
  child.on('message', (answer: PeerAnswer) => waiting.get(answer.id)?.(answer));
  let ids = 0;
  const does = async (order: PeerOrder): Promise<unknown> => {
    ids += 1;
    const id = ids;
    const answered = new Promise<PeerAnswer>((resolve) => waiting.set(id, resolve));
    child.send({ id, order });
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const tells = async (): Promise<PeerFacts> => (await does({ does: 'tell' })) as PeerFacts;
  const grant = { roomJoin: true, room: roomName, canUpdateOwnMetadata: true };
  await does({ does: 'join', url: server.url, token: await tokenFor(server, identity, grant) });
  return {
    does,
    tells,
    knows: async (facts) => {
      await expect.poll(tells, { timeout: 90_000 }).toMatchObject(facts);
    },
  };
}
