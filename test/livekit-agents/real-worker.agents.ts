import { newestAgents, oldestAgents } from './install-agents.ts';
import { describeRealWorker } from './real-worker.ts';

describeRealWorker('the oldest @livekit/agents', async () => oldestAgents, { endCallTool: false });
describeRealWorker('the newest @livekit/agents', newestAgents, { endCallTool: true });
