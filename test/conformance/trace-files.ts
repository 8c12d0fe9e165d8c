import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of scenarios. */
export interface TraceFile<Scenario> {
  readonly group: string;
  readonly pipecatVersion: string;
  readonly scenarios: readonly Scenario[];
}

/**
 * Reads every *.json directly in a folder of traces.
 *
 * @param folder Its name. The one beside the checkout goes before the one here.
 * @param otherFolder Taken instead where it is set: any path.
 */
export function readTraces<Scenario>(folder: string, otherFolder: string | undefined): TraceFile<Scenario>[] {
  const directory = otherFolder ? resolve(otherFolder) : ownDirectory(folder);
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  if (names.length === 0) throw new Error(`There are no traces in ${directory}`);
  return names.sort().map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
}

function ownDirectory(folder: string): string {
  const besideTheCheckout = fileURLToPath(new URL(`../../../shared/${folder}`, import.meta.url));
  return existsSync(besideTheCheckout) ? besideTheCheckout : fileURLToPath(new URL(folder, import.meta.url));
}

/** @throws {TraceMismatch} There are problems. */
export function expectNoProblems(
  { name, about = '' }: { readonly name: string; readonly about?: string },
  problems: readonly string[],
): void {
  if (problems.length > 0) throw new TraceMismatch([`${name}: ${about}`, ...problems].join('\n\n'));
}

/** Its text is all there is to say; where it was thrown tells nothing. */
class TraceMismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TraceMismatch';
    this.stack = '';
  }
}
