/** A project that has endframe as a package, and nothing more than it says. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What comes with `npm install endframe rxjs`. */
const always = ['eventemitter3', 'jose', 'rxjs', 'tslib'];

export interface Consumer extends Disposable {
  readonly folder: string;
  /** Writes a file of the project. */
  write(name: string, text: string): string;
}

/**
 * Makes one in a folder of its own, outside of this repository.
 *
 * @param packages What is installed besides, taken from this repository.
 */
export function makeConsumer(packages: readonly string[] = []): Consumer {
  if (!existsSync(join(root, 'dist'))) throw new Error('dist is missing: npm run build');
  // its real name, or bundlers would take it for another place
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'endframe-consumer-')));
  const own = join(folder, 'node_modules/endframe');
  mkdirSync(own, { recursive: true });
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(own, name), { recursive: true });
  for (const name of [...always, ...packages]) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  return { folder, write, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
