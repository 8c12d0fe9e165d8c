import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../../src', import.meta.url));

/** Files and packages that importing a file loads; what only its types need is not loaded. */
function loadedBy(file: string, seen: Set<string> = new Set([file])): Set<string> {
  const imports =
    /^(?:import|export) (?!type\b)[^'";]*?from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm;
  for (const [, first, second, third] of readFileSync(resolve(src, file), 'utf8').matchAll(imports)) {
    const target = first ?? second ?? third ?? '';
    const name = target.startsWith('.') ? relative(src, resolve(src, dirname(file), target)) : target;
    if (seen.has(name)) continue;
    seen.add(name);
    if (target.startsWith('.')) loadedBy(name, seen);
  }
  return seen;
}

describe("the guardian's program", () => {
  const loaded = [...loadedBy('rooms/guardian/main.ts')];

  it("loads nothing but its own files and Node's modules", () => {
    expect(loaded.filter((name) => !name.startsWith('node:') && !name.endsWith('.ts'))).toEqual([]);
  });

  it('knows no frames, and none of what needs rxjs', () => {
    const ours = loaded.filter((name) => name.endsWith('.ts'));
    expect(ours.filter((name) => !name.startsWith('rooms/')).toSorted()).toEqual([
      'lib/errors.ts',
      'lib/timeout.ts',
    ]);
    expect(ours).toContain('rooms/retry-policy.ts');
    expect(ours).toContain('rooms/delete-room.ts');
    expect(ours).not.toContain('rooms/room-deleter.ts');
  });
});
