/** The documents of this repository, and what they refer to. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of all Markdown files that readers are meant to find, relative to the root. */
export const documents: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  ...['src', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => join(folder, path))
      .sort(),
  ),
];

export function textOf(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

/** What stands outside of code blocks. */
export function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

/** The targets of links that stay in this repository, such as `src/README.md#map`. */
export function linksOf(text: string): string[] {
  const targets = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Whether the file of a link exists, and in it the heading that the link names. */
export function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headingsOf(textOf(target)).includes(heading);
}

/** As GitHub names them in addresses. */
function headingsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const extensions = /\.(?:[cm]?[jt]s|json|md|sh|ya?ml)$/;
const { dependencies, devDependencies, peerDependencies, exports } = JSON.parse(textOf('package.json'));
/** Names with a slash that are no paths: of packages, and of this package's entry points. */
const packages: ReadonlySet<string> = new Set([
  ...Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }),
  ...Object.keys(exports).map((path) => path.replace('.', 'endframe')),
]);

/** What stands in backticks and is a path: it has a slash, or the extension of a file. */
export function pathsOf(text: string): string[] {
  const spans = [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans.filter(
    (span) =>
      /^[\w@.-]+(?:\/[\w@.-]+)*\/?$/.test(span) &&
      (span.includes('/') || extensions.test(span)) &&
      !packages.has(span),
  );
}

/** Whether a path is there, seen from its document, from `src` or from the root. */
export function exists(document: string, path: string): boolean {
  return [dirname(document), 'src', ''].some((folder) => existsSync(join(root, folder, path)));
}
