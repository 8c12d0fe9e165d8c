/** Which test files need nothing but this process: found out by what they import. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Whoever imports one of these starts a process or a server, talks with a real one, or needs what was built. */
const outside: readonly (string | RegExp)[] = [
  'node:child_process',
  /^endframe(\/|$)/,
  '@livekit/rtc-node',
  /^src\/testing\/(caller|livekit-server-program|start-livekit-server|supervised-process)\.ts$/,
  'test/support/shared-services.ts',
];

/** @returns Paths of test files, relative to the root. */
export function unitTests(): string[] {
  const paths = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const isUnit = new Map<string, boolean>();
  return paths
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => staysInside(path, isUnit))
    .sort();
}

/** @param known What was found out before; what is being found out counts as inside, for files that import each other. */
function staysInside(path: string, known: Map<string, boolean>): boolean {
  const found = known.get(path);
  if (found !== undefined) return found;
  known.set(path, true);
  const stays = importsOf(path).every(
    (name) =>
      !outside.some((other) => (typeof other === 'string' ? other === name : other.test(name))) &&
      // src is judged by the names above alone: a guardian is started by options, not by imports
      (!name.startsWith('test/') || !existsSync(join(root, name)) || staysInside(name, known)),
  );
  known.set(path, stays);
  return stays;
}

/** Names of packages, and paths relative to the root. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  const names = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
  const urls = [...text.matchAll(/new URL\('(\.[^']+)', import\.meta\.url\)/g)].map(([, name]) => name ?? '');
  return [...names, ...urls].map((name) =>
    name.startsWith('.') ? relative(root, join(root, dirname(path), name)) : name,
  );
}
