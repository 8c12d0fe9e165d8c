/**
 * A job of LiveKit Agents whose room is deleted when it ends, however it ends: an import and a call. The session and
 * its models are as in any other agent; here they are those of LiveKit's inference service.
 *
 * Run:      npm install endframe rxjs @livekit/agents @livekit/rtc-node@0.13
 *           node 09-livekit-agents-job.ts dev       with the LIVEKIT_* of a LiveKit Cloud project
 */

import { fileURLToPath } from 'node:url';
import { cli, defineAgent, type JobContext, ServerOptions, voice } from '@livekit/agents';
import { attachRoomCleanup } from 'endframe/livekit-agents';

const agent: ReturnType<typeof defineAgent> = defineAgent({
  entry: async (ctx: JobContext) => {
    const session = new voice.AgentSession({
      stt: 'deepgram/nova-3',
      llm: 'openai/gpt-4.1-mini',
      tts: 'cartesia/sonic-3',
    });
    // first: it covers what fails below; a caller whose network broke is waited for half a minute
    const cleanup = attachRoomCleanup(ctx, session, { absenceGraceMs: 30_000 });
    cleanup.outcome$.subscribe(({ status }) => console.log(`the room is ${status}`));
    await ctx.connect();
    await session.start({ agent: new voice.Agent({ instructions: 'You are brief.' }), room: ctx.room });
  },
});
export default agent;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  cli.runApp(new ServerOptions({ agent: fileURLToPath(import.meta.url) }));
}
