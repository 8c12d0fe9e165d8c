import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Consumer, makeConsumer } from './support/consumer.ts';

// a compiler has a lot to read, and the machine may be busy
vi.setConfig({ testTimeout: 300_000 });
const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const versions = [
  ['5.9', 'typescript-5.9'],
  ['6', 'typescript'],
  ['7', 'typescript-7'],
] as const;

/** What a compiler complains of; nothing where it is content. */
async function complaints(compiler: string, folder: string, args: readonly string[]): Promise<string> {
  const tsc = `${root}/node_modules/${compiler}/bin/tsc`;
  return run(process.execPath, [tsc, ...args], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
  );
}

const settings = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    // without the DOM, which takes a third of the time
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ['index.ts'],
};

const program = `
import { CancelFrame, EndFrame, type Frame, ofFrame, TextFrame } from 'endframe';
import { LiveKitTransport, RoomDeleter } from 'endframe/livekit';
import { attachRoomCleanup } from 'endframe/livekit-agents';
import { Sweeper } from 'endframe/sweeper';
import type { Caller } from 'endframe/testing';
import type { Observable } from 'rxjs';

export const all = [LiveKitTransport, RoomDeleter, attachRoomCleanup, Sweeper];

declare const frames$: Observable<Frame>;
export const text$: Observable<TextFrame> = frames$.pipe(ofFrame(TextFrame));
export const unrelated$: Observable<TextFrame | EndFrame> = frames$.pipe(ofFrame(TextFrame, EndFrame));
// @ts-expect-error there may be a CancelFrame
export const tooNarrow$: Observable<EndFrame> = frames$.pipe(ofFrame(EndFrame, CancelFrame));

declare const caller: Caller;
export const identity: Promise<string> = caller.waitFor('trackSubscribed').then((event) => event.identity);
export const reason: Promise<string> = caller.waitFor('disconnected').then((event) => event.reason);
// @ts-expect-error nobody says why a track was subscribed
void caller.waitFor('trackSubscribed').then((event) => event.reason);
`;

describe.each(versions)('TypeScript %s', (_, compiler) => {
  let consumer: Consumer;
  beforeAll(() => {
    // none of the optional packages
    consumer = makeConsumer(['@types/node', 'undici-types']);
    consumer.write('index.ts', program);
    consumer.write('tsconfig.json', JSON.stringify(settings));
  });
  afterAll(() => consumer[Symbol.dispose]());

  it('takes a strict program without optional packages, declarations included', async () => {
    expect(await complaints(compiler, consumer.folder, ['-p', '.'])).toBe('');
  });

  // version 6 has built it before the tests
  it.skipIf(compiler === 'typescript')('builds this project', async () => {
    const cache = `${root}/node_modules/.cache/${compiler}.tsbuildinfo`;
    const args = ['--noEmit', '--incremental', '--tsBuildInfoFile', cache];
    expect(await complaints(compiler, root, ['-p', 'src/tsconfig.json', ...args])).toBe('');
  });
});
