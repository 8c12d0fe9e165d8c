/**
 * A worker of `@livekit/agents`, as its users write one, and the jobs that it runs in processes of their own.
 *
 * What a job does stands in the name of its room: `STORY.CLEANUP.RANDOM`, such as `session-closes.endframe.x7`.
 * `AGENTS_FOLDER` says which installation is meant; nothing of it has types here.
 */

import { pathToFileURL } from 'node:url';
import type { AgentJobContext, AgentSessionEvents } from '../../src/livekit-agents/job-context.ts';
import { type AttachRoomCleanupOptions, attachRoomCleanup } from '../../src/livekit-agents.ts';

interface Context extends AgentJobContext {
  connect(): Promise<void>;
  waitForParticipant(): Promise<{ readonly identity: string }>;
}

interface Session extends AgentSessionEvents {
  start(options: object): Promise<void>;
  close(): Promise<void>;
  shutdown(options?: { reason?: string }): void;
  generateReply(options: { userInput: string }): void;
}

interface Llm {
  emit(event: 'error', error: object): void;
}

interface Agents {
  readonly voice: {
    readonly AgentSession: new (options: object) => Session;
    readonly Agent: new (options: object) => object;
    /** Since 1.5. */
    readonly testing: { readonly FakeLLM: new (answers: object[]) => Llm };
  };
  readonly beta: { createEndCallTool(): object };
  readonly llm: { readonly LLM: abstract new () => Llm };
  readonly cli: { runApp(options: object): void };
  readonly ServerOptions: new (options: object) => object;
  defineAgent(agent: { entry: (ctx: Context) => Promise<void> }): object;
}

const dist = `${process.env.AGENTS_FOLDER}/node_modules/@livekit/agents/dist/index.js`;
const { voice, beta, llm, cli, ServerOptions, defineAgent } = (await import(
  pathToFileURL(dist).href
)) as Agents;

/** No model at all: it exists to fail. */
class NoModel extends llm.LLM {
  label(): string {
    return 'no model';
  }
}

/** What the framework does for a model that cannot go on; the session gives up after some of these. */
function failForGood(model: Llm): void {
  for (let time = 0; time < 10; time += 1) {
    const error = new Error('the model is gone');
    model.emit('error', { type: 'llm_error', timestamp: 0, label: 'no model', error, recoverable: false });
  }
}

/** Hangs up when it hears `bye`, and says something when it was told to. */
function modelThatEndsCalls(): Llm {
  return new voice.testing.FakeLLM([
    { input: 'bye', toolCalls: [{ name: 'end_call', args: {} }] },
    { input: 'say goodbye to the user', content: 'Goodbye!' },
  ]);
}

function throwOnPurpose(): never {
  throw new Error('thrown on purpose');
}

interface Job {
  readonly ctx: Context;
  readonly session: Session;
  readonly model: Llm;
}

type Act = (job: Job) => unknown;

interface Story {
  readonly beforeAttaching?: Act;
  readonly beforeJoining?: Act;
  readonly afterJoining?: Act;
  /** The session has started. */
  readonly started?: Act;
  readonly model?: () => Llm;
  readonly tools?: () => object[];
  readonly options?: AttachRoomCleanupOptions;
}

/** Two people may be in the room before the bot is: the first of them is not always the same. */
const absence: AttachRoomCleanupOptions = { absenceGraceMs: 500, participantIdentity: 'ada' };
const shutDown: Act = ({ ctx }) => ctx.shutdown('done');

const stories: Record<string, Story> = {
  'session-closes': { started: ({ session }) => session.close() },
  'session-shuts-down': { started: ({ session }) => session.shutdown({ reason: 'job_shutdown' }) },
  'session-says-why': { started: ({ session }) => session.shutdown({ reason: 'said goodbye' }) },
  'model-fails': { started: ({ model }) => failForGood(model) },
  'end-call-tool': {
    model: modelThatEndsCalls,
    tools: () => [beta.createEndCallTool()],
    started: ({ session }) => session.generateReply({ userInput: 'bye' }),
  },
  waits: {},
  'job-shuts-down': { started: shutDown },
  'callback-rejects': {
    beforeAttaching: ({ ctx }) => ctx.addShutdownCallback(async () => throwOnPurpose()),
    started: shutDown,
    // up to 1.7 the process exits at the first rejection, which may be sooner than the request is on its way
    options: { guardian: true },
  },
  'close-rejects': {
    beforeJoining: ({ session }) => session.on('close', throwOnPurpose),
    started: shutDown,
  },
  'entry-throws': { started: throwOnPurpose },
  'entry-throws-early': { beforeJoining: throwOnPurpose },
  'never-starts': { afterJoining: () => new Promise(() => {}), options: absence },
  removed: { options: absence },
  uncaught: { started: () => void setTimeout(throwOnPurpose, 100) },
  killed: {
    started: () => void setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500),
    options: { guardian: true },
  },
  loads: {
    beforeJoining: () => standStill(6_000),
    started: () => void setTimeout(() => standStill(Number.POSITIVE_INFINITY), 500),
    options: { guardian: true, guardianHeartbeatMs: 2_000 },
  },
};

function standStill(ms: number): void {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

function tell(room: string, event: string): void {
  process.stdout.write(`\n${JSON.stringify({ room, event, pid: process.pid })}\n`);
}

function attach({ ctx, session }: Job, room: string, options?: AttachRoomCleanupOptions): void {
  const { lifecycle$, outcome$ } = attachRoomCleanup(ctx, session, { guardian: false, ...options });
  lifecycle$.subscribe(({ phase, frame }) => tell(room, `${phase} ${frame.frameRole}`));
  outcome$.subscribe(({ status, attempts }) => tell(room, `${status}, ${attempts} attempts`));
}

async function entry(ctx: Context): Promise<void> {
  const room = ctx.job.room?.name ?? '';
  const [name = '', cleanup = ''] = room.split('.');
  const story = stories[name] ?? {};
  const model = story.model?.() ?? new NoModel();
  const session = new voice.AgentSession({ llm: model });
  const job = { ctx, session, model };
  session.on('close', ({ reason }) => tell(room, `closed: ${reason}`));
  story.beforeAttaching?.(job);
  if (cleanup.includes('endframe')) attach(job, room, story.options);
  ctx.addShutdownCallback(async () => tell(room, 'shut down'));
  story.beforeJoining?.(job);
  await ctx.connect();
  await ctx.waitForParticipant();
  tell(room, 'joined');
  await story.afterJoining?.(job);
  await session.start({
    agent: new voice.Agent({ instructions: 'say nothing', ...(story.tools && { tools: story.tools() }) }),
    room: ctx.room,
    inputOptions: {
      participantIdentity: 'ada',
      audioEnabled: false,
      deleteRoomOnClose: cleanup.includes('builtin'),
    },
    outputOptions: { audioEnabled: false, transcriptionEnabled: false },
  });
  tell(room, 'started');
  await story.started?.(job);
}

const agent: object = defineAgent({ entry });
export default agent;

// the processes of the jobs import this file too
if (process.argv[1] === import.meta.filename) {
  // a server gives no job to a worker that says it is busy, as it is when all cores are
  const patience = { initializeProcessTimeout: 120_000, loadFunc: async () => 0 };
  cli.runApp(new ServerOptions({ agent: import.meta.filename, host: '127.0.0.1', ...patience }));
}
