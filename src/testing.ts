/** endframe/testing: what tests of bots need, for any test runner. */

export {
  type Caller,
  type CallerEvent,
  type CallerOptions,
  spawnCaller,
  type WaitForOptions,
} from './testing/caller.ts';
export type { FakeFault, FaultOrder } from './testing/fake-livekit-server.ts';
export {
  FakeLiveKitServer,
  type FakeLiveKitServerEvents,
  type FakeLiveKitServerOptions,
  type FakeRequest,
} from './testing/fake-livekit-server.ts';
export type {
  FakeDisconnectReason,
  FakeParticipant,
  FakeParticipantEvents,
  FakeParticipantOptions,
  FakeRoom,
  FakeRoomOptions,
} from './testing/fake-rooms.ts';
export type { FakeLiveKitVersion } from './testing/fake-tokens.ts';
export type { HeardAudioReport, HeardSpan } from './testing/heard-audio.ts';
export { marbles } from './testing/marbles.ts';
export {
  MemoryTransport,
  type MemoryTransportEvents,
  type MemoryTransportOptions,
} from './testing/memory-transport.ts';
export {
  FrameRecorder,
  type FrameRecorderOptions,
  type RunTestOptions,
  type RunTestResult,
  runTest,
  SleepFrame,
} from './testing/run-test.ts';
export {
  type LiveKitServer,
  type LiveKitServerConfig,
  type StartLiveKitServerOptions,
  startLiveKitServer,
} from './testing/start-livekit-server.ts';
