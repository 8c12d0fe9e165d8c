/** What the documents and examples use of `@livekit/agents`; the real one is tried in test/livekit-agents. */

import type { AgentJobContext, AgentSessionEvents } from 'endframe/livekit-agents';

export type JobContext = AgentJobContext & { connect(): Promise<void> };

export function defineAgent(agent: { entry: (ctx: JobContext) => Promise<void> }): object;

export declare namespace voice {
  class Agent {
    constructor(options: { instructions: string });
  }
  class AgentSession implements AgentSessionEvents {
    constructor(options: object);
    start(options: { agent: Agent; room: AgentJobContext['room'] }): Promise<void>;
    on: AgentSessionEvents['on'];
    off: AgentSessionEvents['off'];
  }
}

export class ServerOptions {
  constructor(options: { agent: string });
}

export declare namespace cli {
  function runApp(options: ServerOptions): void;
}
