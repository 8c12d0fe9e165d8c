/** The TypeScript in a Markdown file, and what the compiler makes of it. */

import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A block that begins with ` ```ts `. */
export interface CodeBlock {
  /** Where its first line of code is, such as `README.md:23`. */
  readonly place: string;
  readonly line: number;
  /** What stands behind `ts`; empty for a program that runs by itself. */
  readonly mark: string;
  readonly code: string;
}

/** The blocks of a file of this repository; none when there is no such file. */
export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { readonly line: number; readonly info: string; readonly code: string[] } | undefined;
  for (const [index, text] of textOf(file).split('\n').entries()) {
    if (!text.startsWith('```')) open?.code.push(text);
    else if (open === undefined) open = { line: index + 2, info: text.slice(3).trim(), code: [] };
    else {
      const [language, ...marks] = open.info.split(' ');
      const { line, code } = open;
      if (language === 'ts') {
        blocks.push({
          place: `${file}:${line}`,
          line,
          mark: marks.join(' '),
          code: `${code.join('\n')}\n`,
        });
      }
      open = undefined;
    }
  }
  return blocks;
}

function textOf(file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}

/** A folder in which endframe is installed, with blocks as its programs. */
export interface CompiledBlocks extends AsyncDisposable {
  readonly folder: string;
  /** One line for each error, with its place in the Markdown file. */
  readonly errors: readonly string[];
  /** The JavaScript file of a block. */
  programOf(block: CodeBlock): string;
}

/** Compiles each block as a file of its own, as strictly as this repository is compiled. */
export async function compileBlocks(blocks: readonly CodeBlock[]): Promise<CompiledBlocks> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'endframe-blocks-')));
  const nameOf = (block: CodeBlock): string => `block-${blocks.indexOf(block)}`;
  await install(folder);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const block of blocks) await writeFile(join(folder, `${nameOf(block)}.ts`), block.code);
  const files = blocks.map((block) => join(folder, `${nameOf(block)}.ts`));
  const program = ts.createProgram(files, { ...optionsOfThisRepository(), outDir: folder });
  const { diagnostics } = program.emit();
  const errors = [...ts.getPreEmitDiagnostics(program), ...diagnostics].map((diagnostic) => {
    const block = blocks.find((one) => diagnostic.file?.fileName.endsWith(`/${nameOf(one)}.ts`));
    return describe(diagnostic, block);
  });
  return {
    folder,
    errors,
    programOf: (block) => join(folder, `${nameOf(block)}.js`),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Links what a reader would have installed. */
async function install(folder: string): Promise<void> {
  const packages = {
    endframe: root,
    rxjs: join(root, 'node_modules/rxjs'),
    vitest: join(root, 'node_modules/vitest'),
    '@types/node': join(root, 'node_modules/@types/node'),
    '@livekit/agents': join(root, 'test/documentation/agents-stand-in'),
  };
  for (const [name, target] of Object.entries(packages)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link, 'junction');
  }
}

function optionsOfThisRepository(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const { tsBuildInfoFile: _, ...rest } = options;
  // what only libraries need is left out: a program need not write down the types of what it exports
  const program = { noEmit: false, incremental: false, declaration: false, isolatedDeclarations: false };
  return { ...rest, ...program, allowImportingTsExtensions: false, noEmitOnError: false };
}

function describe({ file, start = 0, code, messageText }: ts.Diagnostic, block?: CodeBlock): string {
  const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
  const [markdown] = block?.place.split(':') ?? [];
  const place = block ? `${markdown}:${block.line + line}` : basename(file?.fileName ?? 'compiler');
  return `${place} TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}
