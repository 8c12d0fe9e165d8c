/** endframe/testing: what tests of bots need, for any test runner. */

export { marbles } from './testing/marbles.ts';
export {
  type LiveKitServer,
  type LiveKitServerConfig,
  type StartLiveKitServerOptions,
  startLiveKitServer,
} from './testing/start-livekit-server.ts';
