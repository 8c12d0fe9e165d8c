"""Records what Pipecat's smart turn v3 says about the clips of smart-turn-clips.ts, for smart-turn.test.ts.

    python3 -m venv VENV && VENV/bin/pip install pipecat-ai==1.14.0
    node --import ./test/support/typescript-loader.mjs test/conformance/smart-turn-clips.ts CLIPS
    VENV/bin/python test/conformance/record-smart-turn.py CLIPS test/conformance/smart-turn-figures.json

The model is quantised, so that another version of the runtime, or another kind of processor, may move a probability by
0.3: both sides need the same. Figures are those of test/support/install-onnx.ts (VENV/bin/pip install onnxruntime==1.30.0).

Pipecat's own analyzer gets each clip in pieces of 20 ms, by a clock that goes as fast as the sound. A third argument
is the path of another model than the one inside the package. Downloads nothing.
"""

import asyncio
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import numpy
from pipecat.audio.turn.smart_turn import base_smart_turn, local_smart_turn_v3

SAMPLE_RATE = 16_000
PIECE_SAMPLES = 320
VAD_START_SECONDS = 0.2
# a hair less than 20 ms: rounding must not decide which piece is the first of a turn
PIECE_SECONDS = 0.02 * (1 - 1e-9)
# of the 64,000 features of a clip, every so many is kept
FEATURE_STEP = 4_567


class Clock:
    """Stands in for the module `time` inside Pipecat's analyzer."""

    def __init__(self):
        self.now = 1.0

    def monotonic(self):
        return self.now

    def perf_counter(self):
        return self.now


class Recorder(local_smart_turn_v3.LocalSmartTurnAnalyzerV3):
    """Keeps the sound that was judged."""

    def _predict_endpoint(self, audio_array):
        self.judged = audio_array
        return super()._predict_endpoint(audio_array)


def features_of(audio):
    """The features, as the analyzer computes them."""
    samples = 8 * SAMPLE_RATE
    padded = numpy.pad(audio, (samples - len(audio), 0))
    return local_smart_turn_v3.compute_whisper_log_mel_features(padded, do_normalize=True)


async def judge(analyzer, clip, audio):
    clock = Clock()
    with mock.patch.object(base_smart_turn, "time", clock):
        analyzer.clear()
        analyzer.update_vad_start_secs(VAD_START_SECONDS)
        for index, is_speech in enumerate(clip["isSpeech"]):
            piece = audio[index * PIECE_SAMPLES : (index + 1) * PIECE_SAMPLES]
            analyzer.append_audio(piece.tobytes(), is_speech == "1")
            clock.now += PIECE_SECONDS
        _, metrics = await analyzer.analyze_end_of_turn()
    features = features_of(analyzer.judged).flatten()
    return {
        "name": clip["name"],
        "sha256": clip["sha256"],
        "samples": len(analyzer.judged),
        "probability": round(metrics.probability, 6),
        # nine digits are a number of single precision, exactly
        "features": [float(f"{value:.9g}") for value in features[::FEATURE_STEP]],
    }


async def main(clips_folder, figures_file, model=None):
    folder = Path(clips_folder)
    analyzer = Recorder(sample_rate=SAMPLE_RATE, smart_turn_model_path=model)
    analyzer.set_sample_rate(SAMPLE_RATE)
    clips = json.loads((folder / "clips.json").read_text())
    figures = [
        await judge(analyzer, clip, numpy.fromfile(folder / clip["file"], dtype=numpy.int16))
        for clip in clips
    ]
    await analyzer.cleanup()
    recorded_with = {name: version(name) for name in ("pipecat-ai", "onnxruntime", "numpy")}
    recorded_with["machine"] = platform.machine()
    lines = ",\n  ".join(json.dumps(figure, ensure_ascii=False) for figure in figures)
    text = f'{{"recordedWith": {json.dumps(recorded_with)}, "featureStep": {FEATURE_STEP},\n "clips": [\n  {lines}\n]}}\n'
    Path(figures_file).write_text(text)


asyncio.run(main(*sys.argv[1:]))
