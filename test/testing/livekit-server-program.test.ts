import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MissingDependencyError } from '../../src/lib/errors.ts';
import { liveKitServerProgram, liveKitServerVersion } from '../../src/testing/livekit-server-program.ts';

const posix = process.platform !== 'win32';

describe.runIf(posix)('liveKitServerProgram', () => {
  let home: string;
  let bin: string;
  let cache: string;
  const messages: string[] = [];
  const find = (): Promise<string> => liveKitServerProgram({ onProgress: (text) => messages.push(text) });

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'endframe-test-'));
    bin = join(home, 'bin');
    cache = join(home, 'endframe', `livekit-server-${liveKitServerVersion}`);
    await mkdir(bin);
    vi.stubEnv('PATH', bin);
    vi.stubEnv('XDG_CACHE_HOME', home);
    messages.length = 0;
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(home, { recursive: true, force: true });
  });

  async function installed(name: string, script: string): Promise<string> {
    const file = join(bin, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** A toolchain that notes each call and builds a server that does nothing. */
  const go = (): Promise<string> =>
    installed(
      'go',
      `echo "$@" >> '${home}/calls'; /bin/sleep 0.2; echo '#!/bin/sh' > "$GOBIN/server"; /bin/chmod +x "$GOBIN/server"`,
    );
  const calls = async (): Promise<string[]> =>
    (await readFile(join(home, 'calls'), 'utf8')).trimEnd().split('\n');

  it('takes the one on PATH', async () => {
    await go();
    const file = await installed('livekit-server', 'exit 0');
    expect(await find()).toBe(file);
    expect(messages).toEqual([]);
  });

  it('builds one with Go, once, and says so', async () => {
    await go();
    const program = await find();
    expect(program).toBe(join(cache, 'livekit-server'));
    expect(await find()).toBe(program);
    expect(await calls()).toEqual([
      `install -v github.com/livekit/livekit-server/cmd/server@${liveKitServerVersion}`,
    ]);
    expect(messages[0]).toMatch(/building livekit-server .* with Go/);
    expect(await readdir(cache)).toEqual(['livekit-server']);
  });

  it('builds the version that is asked for, whatever is on PATH', async () => {
    await go();
    await installed('livekit-server', 'exit 0');
    const program = await liveKitServerProgram({ version: 'v1.2.3', onProgress: () => {} });
    expect(program).toBe(join(home, 'endframe', 'livekit-server-v1.2.3', 'livekit-server'));
    expect(await calls()).toEqual(['install -v github.com/livekit/livekit-server/cmd/server@v1.2.3']);
  });

  it('builds once for many who ask at the same time', async () => {
    await go();
    const programs = await Promise.all([find(), find(), find()]);
    expect(new Set(programs).size).toBe(1);
    expect(await calls()).toHaveLength(1);
  });

  it('takes over from a builder that died', async () => {
    await go();
    await mkdir(join(cache, 'build-dead'), { recursive: true });
    await writeFile(join(cache, 'lock'), '1');
    await utimes(join(cache, 'lock'), new Date(0), new Date(0));
    await find();
    expect(await readdir(cache)).toEqual(['livekit-server']);
  });

  it('names the three ways to get one when there is none', async () => {
    const error = await find().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect(String(error)).toMatch(/LIVEKIT_URL.*livekit-server.*PATH.*Go/s);
  });

  it('tells why a build failed, and leaves nothing behind', async () => {
    await installed('go', 'echo "dial tcp: no route to host" >&2; exit 1');
    const error = await find().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect(String(error)).toMatch(/no route to host.*LIVEKIT_URL/s);
    expect(await readdir(cache)).toEqual([]);
  });
});
