import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { documents, exists, leadsSomewhere, linksOf, pathsOf, textOf } from './documents.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe.each(documents)('%s', (document) => {
  const text = textOf(document);

  it('names files that exist', () => {
    expect(pathsOf(text).filter((path) => !exists(document, path))).toEqual([]);
  });

  it('has links that lead somewhere', () => {
    expect(linksOf(text).filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });
});

describe('what is looked for in documents', () => {
  it('is a path in backticks, but no name of a package and nothing in a code block', () => {
    const text =
      'In `src/a.ts`, `b.md` and `c/`; not `a.b`, `@livekit/agents`, `new A()`.\n```\n`d/e.ts`\n```\n';
    expect(pathsOf(text)).toEqual(['src/a.ts', 'b.md', 'c/']);
  });

  it('is found missing: a file, a heading', () => {
    expect(exists('README.md', 'src/no-such-file.ts')).toBe(false);
    expect(leadsSomewhere('README.md', 'src/README.md#no-such-heading')).toBe(false);
    expect(leadsSomewhere('README.md', 'src/README.md#map')).toBe(true);
  });
});

describe('README.md', () => {
  const text = textOf('README.md');

  it('has 220 lines and 2,600 words at most', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(220);
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(2_600);
  });

  it('links to every other document', () => {
    const linked = linksOf(text).map((link) => link.split('#')[0]);
    expect(documents.filter((document) => document !== 'README.md' && !linked.includes(document))).toEqual(
      [],
    );
  });
});

describe('src/README.md', () => {
  it('explains at most 20 terms', () => {
    const [, glossary = ''] = textOf('src/README.md').split('## Glossary');
    const rows = glossary.split('\n## ')[0]?.match(/^\| (?!term)\w/gm) ?? [];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThanOrEqual(20);
  });
});

describe('the package', () => {
  it('has the documents in it, except those of the examples', async () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = await promisify(execFile)('npm', args, { cwd: root });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    for (const document of documents.filter((one) => !one.startsWith('examples/'))) {
      expect(paths).toContain(document);
    }
  });
});
