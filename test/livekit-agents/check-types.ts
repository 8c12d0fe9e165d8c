import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a user writes, with the types of the installation. */
const program = `
import type { JobContext, voice } from '@livekit/agents';
import { attachRoomCleanup } from '${root}src/livekit-agents.ts';

export function attach(ctx: JobContext, session: voice.AgentSession): unknown {
  attachRoomCleanup(ctx).watchSession(session);
  // @ts-expect-error: shows that the types are not any
  attachRoomCleanup(ctx.info);
  // @ts-expect-error: the same of the session
  attachRoomCleanup(ctx, session.history);
  return attachRoomCleanup(ctx, session, { deleteWhen: 'no-humans-left' }).outcome$;
}
`;

/** What the compiler has to say about our structural types and the real ones; empty when they fit. */
export async function typeErrors(agentsFolder: string): Promise<string> {
  const folder = await mkdtemp(join(agentsFolder, 'types-'));
  const config = {
    extends: join(root, 'tsconfig.json'),
    // the real package, not the stand-in of the documents
    compilerOptions: { typeRoots: [join(root, 'node_modules/@types')], paths: {} },
    include: ['*.ts'],
  };
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(folder, 'program.ts'), program);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', folder]);
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
