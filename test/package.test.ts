import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

async function node(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd: root });
  return stdout;
}

interface Manifest {
  readonly exports: Record<string, { readonly types: string; readonly default: string } | string>;
  readonly sideEffects: boolean;
  readonly type: string;
  readonly peerDependencies: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Manifest;

describe('the package', () => {
  it.each([
    ['endframe', ['eventemitter3', 'rxjs']],
    ['endframe/livekit', ['eventemitter3', 'jose', 'rxjs']],
    ['endframe/conversation', ['eventemitter3', 'rxjs']],
    ['endframe/sweeper', ['eventemitter3', 'jose', 'rxjs']],
    ['endframe/livekit-agents', ['eventemitter3', 'jose', 'rxjs']],
  ])('%s loads neither protobuf nor native code', async (door, expected) => {
    const loaded = JSON.parse(await node('test/support/loaded-packages.mjs', door)) as string[];
    expect(loaded.filter((name) => name !== 'tslib')).toEqual(expected);
  });

  it.each([
    'endframe',
    'endframe/livekit',
    'endframe/conversation',
    'endframe/sweeper',
    'endframe/livekit-agents',
    'endframe/testing',
  ])('%s can be required from CommonJS', async (door) => {
    const flag = Number(process.versions.node.split('.')[0]) < 22 ? ['--no-warnings'] : [];
    const exported = await node(
      ...flag,
      '-e',
      `process.stdout.write(Object.keys(require('${door}')).join(','))`,
    );
    expect(exported.split(',').length).toBeGreaterThan(1);
  });

  it('has one door per file at the top of src, types first', () => {
    const doors = Object.entries(manifest.exports).filter(([path]) => path !== './package.json');
    for (const [path, target] of doors) {
      const name = path === '.' ? 'index' : path.slice(2);
      expect(target).toEqual({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
      expect(Object.keys(target)).toEqual(['types', 'default']);
    }
  });

  it('is ESM without side effects, and takes RxJS from its user', () => {
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false });
    expect(manifest.peerDependencies.rxjs).toMatch(/^\^7\./);
  });

  it('has a lock file without registry hosts', () => {
    expect(readFileSync(`${root}/package-lock.json`, 'utf8')).not.toContain('"resolved": "http');
  });
});
