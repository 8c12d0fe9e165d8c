// A process for start-livekit-server.test.ts: starts a server, prints its pid, and stays or ends.

import { startLiveKitServer } from '../../src/testing/start-livekit-server.ts';

const server = await startLiveKitServer({ config: {} });
console.log(server.pid);
if (process.argv[2] === 'stays') setInterval(() => {}, 1_000);
