/**
 * A worker of `@livekit/agents`, as its users write one, and the jobs that it runs in processes of their own.
 *
 * What a job does stands in the name of its room: `STORY.CLEANUP.RANDOM`, such as `session-closes.endframe.x7`.
 * `AGENTS_FOLDER` says which installation is meant; nothing of it has types here.
 */

import { pathToFileURL } from 'node:url';
import type { AgentJobContext, AgentSessionEvents } from '../../src/livekit-agents/job-context.ts';
import { attachRoomCleanup } from '../../src/livekit-agents.ts';

interface Context extends AgentJobContext {
  connect(): Promise<void>;
  waitForParticipant(): Promise<{ readonly identity: string }>;
}

interface Session extends AgentSessionEvents {
  start(options: object): Promise<void>;
  close(): Promise<void>;
  shutdown(options?: { reason?: string }): void;
}

interface Llm {
  emit(event: 'error', error: object): void;
}

interface Agents {
  readonly voice: {
    readonly AgentSession: new (options: object) => Session;
    readonly Agent: new (options: object) => object;
  };
  readonly llm: { readonly LLM: abstract new () => Llm };
  readonly cli: { runApp(options: object): void };
  readonly ServerOptions: new (options: object) => object;
  defineAgent(agent: { entry: (ctx: Context) => Promise<void> }): object;
}

const dist = `${process.env.AGENTS_FOLDER}/node_modules/@livekit/agents/dist/index.js`;
const { voice, llm, cli, ServerOptions, defineAgent } = (await import(pathToFileURL(dist).href)) as Agents;

/** No model at all: it exists to fail. */
class NoModel extends llm.LLM {
  label(): string {
    return 'no model';
  }

  /** What the framework does for a model that cannot go on; the session gives up after some of these. */
  failForGood(): void {
    for (let time = 0; time < 10; time += 1) {
      const error = new Error('the model is gone');
      this.emit('error', { type: 'llm_error', timestamp: 0, label: 'no model', error, recoverable: false });
    }
  }
}

function tell(room: string, event: string): void {
  process.stdout.write(`\n${JSON.stringify({ room, event, pid: process.pid })}\n`);
}

async function entry(ctx: Context): Promise<void> {
  const room = ctx.job.room?.name ?? '';
  const [story, cleanup] = room.split('.');
  const model = new NoModel();
  const session = new voice.AgentSession({ llm: model });
  session.on('close', ({ reason }) => tell(room, `closed: ${reason}`));
  if (cleanup?.includes('endframe')) {
    const { lifecycle$, outcome$ } = attachRoomCleanup(ctx, session, {
      guardian: story === 'killed',
    });
    lifecycle$.subscribe(({ phase, frame }) => tell(room, `${phase} ${frame.frameRole}`));
    outcome$.subscribe(({ status, attempts }) => tell(room, `${status}, ${attempts} attempts`));
  }
  ctx.addShutdownCallback(async () => tell(room, 'shut down'));
  if (story === 'entry-throws-early') throw new Error('thrown on purpose');
  await ctx.connect();
  await ctx.waitForParticipant();
  await session.start({
    agent: new voice.Agent({ instructions: 'say nothing' }),
    room: ctx.room,
    inputOptions: {
      participantIdentity: 'ada',
      audioEnabled: false,
      deleteRoomOnClose: cleanup?.includes('builtin'),
    },
    outputOptions: { audioEnabled: false, transcriptionEnabled: false },
  });
  tell(room, 'started');
  if (story === 'session-closes') await session.close();
  if (story === 'session-shuts-down') session.shutdown({ reason: 'job_shutdown' });
  if (story === 'model-fails') model.failForGood();
  if (story === 'job-shuts-down') ctx.shutdown('done');
  if (story === 'entry-throws') throw new Error('thrown on purpose');
  if (story === 'killed') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);
  if (story === 'uncaught')
    setTimeout(() => {
      throw new Error('thrown on purpose');
    }, 100);
}

const agent: object = defineAgent({ entry });
export default agent;

// the processes of the jobs import this file too
if (process.argv[1] === import.meta.filename) {
  // a server gives no job to a worker that says it is busy, as it is when all cores are
  const patience = { initializeProcessTimeout: 60_000, loadFunc: async () => 0 };
  cli.runApp(new ServerOptions({ agent: import.meta.filename, host: '127.0.0.1', ...patience }));
}
