/** A caller's page: joins with the microphone on, listens, and tells what a person would hear and see. */

const { DisconnectReason, Room, RoomEvent } = window.LivekitClient;
const state = document.querySelector('#state');
const tickMs = 50;
const silenceRms = 0.01;

let sent = Promise.resolve();

/** In order, one after the other. @param {string} event @param {object} facts */
function tell(event, facts = {}) {
  const body = JSON.stringify({ event, ...facts });
  sent = sent.then(() => fetch('/events', { method: 'POST', body }));
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Loudness and main frequency of what sounds now. @param {AnalyserNode} analyser */
function measure(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatTimeDomainData(samples);
  analyser.getFloatFrequencyData(spectrum);
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
  const loudest = spectrum.reduce((best, value, bin) => (value > spectrum[best] ? bin : best), 0);
  return { rms, frequencyHz: (loudest * analyser.context.sampleRate) / analyser.fftSize };
}

/** @param {import('livekit-client').RemoteTrack} track */
async function listen(track) {
  // Chromium decodes a track only where it is played
  document.body.append(track.attach());
  const context = new AudioContext();
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 4_096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])).connect(analyser);
  tell('listens', { context: context.state });
  /** @type {{ rms: number, frequencyHz: number }[]} */
  const heard = [];
  setInterval(() => {
    const now = measure(analyser);
    if (now.rms < silenceRms) return;
    heard.push(now);
    tell('heard', {
      heardMs: heard.length * tickMs,
      rms: median(heard.map(({ rms }) => rms)),
      frequencyHz: median(heard.map(({ frequencyHz }) => frequencyHz)),
    });
  }, tickMs);
}

/** What would change a tone. */
const audioCaptureDefaults = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };
const room = new Room({ audioCaptureDefaults });
room
  .on(RoomEvent.TrackSubscribed, (track) => listen(track).catch(fail))
  .on(RoomEvent.Disconnected, (reason) => {
    state.textContent = DisconnectReason[reason];
    tell('disconnected', { shown: state.textContent });
  });

/** @param {unknown} error */
function fail(error) {
  tell('failed', { message: String(error) });
}

async function join() {
  const { url, token } = await (await fetch('/call')).json();
  await room.connect(url, token);
  state.textContent = 'in the room';
  tell('joined');
  await room.localParticipant.setMicrophoneEnabled(true);
  tell('speaks');
}
join().catch(fail);
