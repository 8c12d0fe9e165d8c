/**
 * The faults that must not keep a room alive, and the tests that show it.
 *
 * A row is shown by the tests whose title begins with `row N:`, in whatever file, and by those that are named
 * here: the file, and what their full title matches.
 *
 * @typedef {object} Row
 * @property {number} row Its number.
 * @property {string} fault
 * @property {readonly (readonly [file: string, title: RegExp])[]} [shownBy] Each must be the title of a test.
 * @property {string} [reason] Why it cannot be shown here; then it may be without a test, or skipped.
 */

const faults = 'test/scenarios/deletion-under-faults.test.ts';
const streams = 'test/scenarios/any-rxjs-stream.test.ts';
const killed = 'test/scenarios/killed-bot.test.ts';
const guardian = 'test/rooms/guardian/guardian-client.test.ts';
const stuck = 'test/scenarios/stuck-processor.test.ts';
const hangs = 'test/pipeline/never-hangs.test.ts';
const outside = 'test/pipeline/never-hangs-outside.test.ts';
const signals = 'test/scenarios/signals-delete-the-room.test.ts';
const transport = 'test/transports/livekit/livekit-transport.test.ts';
const failures = 'test/transports/livekit/livekit-failures.test.ts';
const exits = 'test/transports/livekit/process-exit.test.ts';
const ends = 'test/scenarios/end-frame-deletes-the-room.test.ts';
const cleanup = 'test/cleanup/room-cleanup-processor.test.ts';
const verify = 'test/rooms/verify-room-gone.test.ts';
const lost = 'test/scenarios/lost-node.test.ts';
const sweeper = 'test/sweeper/sweeper.test.ts';
const realSweeper = 'test/sweeper/real-server.test.ts';
const bullmq = 'test/sweeper/engine/bullmq-engine.test.ts';
const lostBots = 'test/sweeper/lost-bots.test.ts';
const webhooks = 'test/sweeper/webhook/webhook-handler.test.ts';
const deletion = 'test/rooms/delete-room.test.ts';

/** @type {readonly Row[]} */
export const rows = [
  { row: 1, fault: 'connection refused, then up' },
  { row: 2, fault: 'DNS failure for good' },
  { row: 3, fault: 'reply lost after the server acted' },
  { row: 4, fault: 'request lost' },
  { row: 5, fault: 'reset in mid body; truncated body' },
  {
    row: 6,
    fault: 'headers then stall; drip',
    shownBy: [[faults, /after one byte a second, by the second/]],
  },
  { row: 7, fault: '5xx twice' },
  { row: 8, fault: '429 with Retry-After' },
  { row: 9, fault: 'wrong secret' },
  { row: 10, fault: 'key without the grant; 403 from a proxy' },
  { row: 11, fault: 'clock off' },
  { row: 12, fault: 'room is not there' },
  { row: 13, fault: 'captive portal' },
  {
    row: 14,
    fault: 'redirects',
    shownBy: [
      [faults, /after a redirect with/],
      [faults, /after a redirect to itself/],
    ],
  },
  { row: 15, fault: 'endless body, or one of 100 MB' },
  { row: 16, fault: 'garbage instead of HTTP or JSON' },
  { row: 17, fault: 'odd room names' },
  { row: 18, fault: 'impossible room names' },
  { row: 19, fault: 'forms of the URL', shownBy: [['test/rooms/rest/server-url.test.ts', /maps .*wss:/]] },
  { row: 20, fault: 'URLs that are refused' },
  { row: 21, fault: 'eight concurrent triggers' },
  { row: 22, fault: 'LiveKit frozen at the end' },
  {
    row: 23,
    fault: 'processor throws on EndFrame',
    shownBy: [
      [stuck, /that throws on the EndFrame/],
      [stuck, /that rejects on the EndFrame/],
    ],
  },
  { row: 24, fault: 'processor swallows EndFrame', shownBy: [[stuck, /that swallows on the EndFrame/]] },
  {
    row: 25,
    fault: 'processor hangs on EndFrame',
    shownBy: [
      [stuck, /that hangs on the EndFrame is deleted/],
      [stuck, /in front of the output/],
      [stuck, /behind the output/],
    ],
  },
  {
    row: 26,
    fault: 'Cancel during End',
    shownBy: [[hangs, /whose end is stuck is cancelled by/]],
  },
  {
    row: 27,
    fault: 'End twice; End and Cancel',
    shownBy: [[cleanup, /deletes once, however many ask/]],
  },
  {
    row: 28,
    fault: 'interruption during End',
    shownBy: [[transport, /not interrupted in its goodbye/]],
  },
  {
    row: 29,
    fault: 'observer throws',
    shownBy: [
      [outside, /an observer that throws at every frame/],
      [outside, /an observer that throws at its cleanup/],
    ],
  },
  {
    row: 30,
    fault: 'handler of finished hangs',
    shownBy: [[outside, /a listener that hangs to finished/]],
  },
  {
    row: 31,
    fault: 'EndFrame from the middle',
    shownBy: [[hangs, /pushes a EndFrame of its own downstream/]],
  },
  {
    row: 32,
    fault: 'joining fails for good',
    shownBy: [
      [failures, /cannot join, and deletes/],
      [failures, /joined and cannot publish/],
    ],
  },
  {
    row: 33,
    fault: 'disconnect throws, or never returns',
    shownBy: [
      [failures, /leaving it throws/],
      [failures, /leaving it never returns/],
      [exits, /frozen at the end/],
    ],
  },
  {
    row: 34,
    fault: 'StopFrame',
    shownBy: [
      [cleanup, /after a StopFrame/],
      [transport, /stopped and is closed/],
    ],
  },
  {
    row: 35,
    fault: 'deleted by somebody else',
    shownBy: [
      [ends, /somebody else deletes/],
      [transport, /somebody else/],
    ],
  },
  { row: 36, fault: 'thrown out for another reason', shownBy: [[transport, /thrown out/]] },
  {
    row: 37,
    fault: 'unsubscribed in mid flight; broken stream',
    shownBy: [
      ['test/rooms/room-deleter.test.ts', /last watcher leaves/],
      ['test/cleanup/delete-room-on-end.test.ts', /everybody has unsubscribed/],
      [streams, /although everybody has unsubscribed/],
      [streams, /a web stream that breaks/],
    ],
  },
  { row: 38, fault: 'branch swallows End', shownBy: [[stuck, /in a parallel branch/]] },
  {
    row: 39,
    fault: 'somebody is still inside, each policy',
    shownBy: [[deletion, /that depends/]],
  },
  {
    row: 40,
    fault: 'SIGINT',
    shownBy: [
      [signals, /of SIGINT and exits with 0/],
      [signals, /with onSignal: 'end'/],
    ],
  },
  {
    row: 41,
    fault: 'SIGTERM',
    shownBy: [
      [signals, /of SIGTERM and exits with 0/],
      [exits, /SIGTERM/],
    ],
  },
  {
    row: 42,
    fault: 'second signal',
    shownBy: [
      [signals, /at a second signal SIGTERM/],
      [signals, /at a second signal SIGINT/],
      [signals, /starts the deletion at a second/],
    ],
  },
  {
    row: 43,
    fault: 'SIGHUP, SIGQUIT',
    shownBy: [
      [signals, /of SIGHUP and exits with 0/],
      [killed, /SIGQUIT/],
    ],
  },
  {
    row: 44,
    fault: 'uncaughtException',
    shownBy: [
      [killed, /uncaught throw/],
      [signals, /does throw, and exits with 1/],
    ],
  },
  {
    row: 45,
    fault: 'unhandledRejection',
    shownBy: [
      [killed, /unhandled rejection/],
      [signals, /does reject, and exits with 1/],
    ],
  },
  { row: 46, fault: 'process.exit(0)', shownBy: [[killed, /process\.exit/]] },
  {
    row: 47,
    fault: 'loop blocked for a while',
    shownBy: [[guardian, /that is stuck, which hears of it/]],
  },
  {
    row: 48,
    fault: 'loop blocked for ever',
    shownBy: [
      [killed, /endless loop/],
      [killed, /SIGSTOP/],
      [realSweeper, /SIGSTOP/],
    ],
  },
  {
    row: 49,
    fault: 'out of memory, abort, SIGSEGV',
    shownBy: [
      [killed, /out of memory/],
      [killed, /abort/],
      [killed, /SIGSEGV/],
    ],
  },
  {
    row: 50,
    fault: 'SIGKILL',
    shownBy: [
      [killed, /SIGKILL/],
      [realSweeper, /SIGKILL/],
      [lostBots, /guardian are both gone/],
    ],
  },
  {
    row: 51,
    fault: 'process does not end by itself',
    shownBy: [
      [exits, /exits by itself after the end/],
      [signals, /exits by itself when it has ended, without/],
    ],
  },
  {
    row: 52,
    fault: 'shutdown shorter than the drain',
    shownBy: [[hangs, /whose end is stuck is over at once when/]],
  },
  { row: 53, fault: 'guardian dies', shownBy: [[guardian, /is replaced when it dies/]] },
  {
    row: 54,
    fault: 'caller joins again at once',
    shownBy: [
      [killed, /joins again at once/],
      ['test/cleanup/resurrected-room.test.ts', /joins again as soon as/],
    ],
  },
  { row: 55, fault: 'bot without agent grant, alone' },
  {
    row: 56,
    fault: 'another room of the same name',
    shownBy: [
      ['test/scenarios/shared-name.test.ts', /row 56/],
      [verify, /another/],
      [guardian, /newer room/],
    ],
  },
  { row: 57, fault: 'LiveKit restarts, human comes back alone' },
  { row: 58, fault: 'ghost room' },
  { row: 59, fault: 'auto_create: false' },
  {
    row: 60,
    fault: 'two sweepers',
    shownBy: [
      [realSweeper, /two sweepers/],
      [bullmq, /two sweepers/],
    ],
  },
  {
    row: 61,
    fault: 'sweeper killed and restarted',
    shownBy: [
      [lostBots, /row 61/],
      [realSweeper, /its own process, and starts again/],
    ],
  },
  {
    row: 62,
    fault: 'LiveKit away 60 s',
    shownBy: [
      [sweeper, /frozen for a minute/],
      [realSweeper, /LiveKit is frozen/],
    ],
  },
  {
    row: 63,
    fault: 'bot restarts in time',
    shownBy: [
      [sweeper, /bot restarts/],
      [realSweeper, /bot that starts again/],
    ],
  },
  { row: 64, fault: 'ListParticipants fails for one room', shownBy: [[sweeper, /one room cannot be read/]] },
  { row: 65, fault: 'metadata overwritten', shownBy: [[sweeper, /marker was overwritten/]] },
  { row: 66, fault: 'Redis away, FLUSHALL', shownBy: [[bullmq, /Redis is away|FLUSHALL/]] },
  { row: 67, fault: 'worker killed in a check', shownBy: [[bullmq, /died with its process/]] },
  { row: 68, fault: 'webhook forged', shownBy: [[webhooks, /refuses|replay|takes/]] },
  { row: 69, fault: 'webhook lost' },
  {
    row: 70,
    fault: 'webhook handler slow or failing',
    shownBy: [[webhooks, /within a second/]],
  },
  { row: 71, fault: 'node gone with our room', shownBy: [[lost, /node was killed/]] },
];
