// Prints, as JSON, the npm packages that importing the modules named on the command line loads.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'endframe-loaded-'));
const log = join(folder, 'urls');
writeFileSync(log, '');
const hooks = `
import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(log)}, url + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

for (const specifier of process.argv.slice(2)) await import(specifier);

const required = Object.keys(createRequire(import.meta.url).cache ?? {});
for (const path of required) appendFileSync(log, `${path}\n`);
const packages = readFileSync(log, 'utf8')
  .split('\n')
  .flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify([...new Set(packages)].sort()));
