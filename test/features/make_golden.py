"""Writes golden.json beside this file: log-mel values by the reference implementations, for the tests of src/features.

    pip install kaldi-native-fbank==1.23.0 librosa==0.11.0 numpy scipy
    python make_golden.py

Kaldi's family comes from kaldi-native-fbank. NeMo's family is worked out here in double precision from librosa's short-time transform and
mel filters, in the steps of NeMo's FilterbankFeatures (commit 5b72777): pre-emphasis over the signal, symmetric Hann window, zeros beyond
the ends, power, Slaney filters, log(x + 2^-24), floor(samples / shift) valid frames, mean and deviation (N - 1) + 1e-5 over those.
"""
import json
import os

import kaldi_native_fbank as knf
import librosa
import numpy as np
import scipy.signal

HERE = os.path.dirname(os.path.abspath(__file__))


def signal(rate: int, seconds: float = 0.6) -> np.ndarray:
    """The tests' signal: two sweeps and noise on the int16 grid, the last sixth silent. Mirrored in test/features/signal.ts."""
    n = int(rate * seconds)
    t = np.arange(n) / rate
    tones = 6000 * np.sin(2 * np.pi * (200 * t + 900 * t * t)) + 3000 * np.sin(2 * np.pi * (2500 * t - 1200 * t * t))
    state, noise = 1, np.zeros(n)
    for i in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        noise[i] = (state >> 16) % 4097 - 2048
    x = np.round(tones) + noise
    x[n - n // 6:] = 0
    return (x / 32768).astype(np.float32)


KALDI = [
    dict(sampleRateHz=8000, window="povey", snipEdges=False, lowHz=20, highHz=-400, melBins=80),
    dict(sampleRateHz=8000, window="povey", snipEdges=False, lowHz=20, highHz=3600, melBins=80),
    dict(sampleRateHz=8000, window="hamming", snipEdges=True, lowHz=20, highHz=0, melBins=40),
    dict(sampleRateHz=8000, window="hann", snipEdges=False, lowHz=60, highHz=3400, melBins=24, removeDcOffset=False, frameShiftMs=12.5),
    dict(sampleRateHz=16000, window="hamming", snipEdges=True, lowHz=20, highHz=0, melBins=80, sampleScale=32768),
    dict(sampleRateHz=16000, window="povey", snipEdges=True, lowHz=20, highHz=0, melBins=80),
    dict(sampleRateHz=16000, window="povey", snipEdges=False, lowHz=20, highHz=-400, melBins=80, preEmphasis=0.9),
    dict(sampleRateHz=16000, window="rectangular", snipEdges=True, lowHz=0, highHz=0, melBins=23, preEmphasis=0, frameLengthMs=20),
]


# kaldi-native-fbank calls the symmetric window "hanning", as Kaldi does; its "hann" is the periodic one of librosa.
WINDOWS = {"hann": "hanning"}


def kaldi(o: dict) -> np.ndarray:
    options = knf.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.dither, frame.samp_freq, frame.window_type, frame.snip_edges = 0, o["sampleRateHz"], WINDOWS.get(o["window"], o["window"]), o["snipEdges"]
    frame.frame_length_ms, frame.frame_shift_ms = o["frameLengthMs"], o["frameShiftMs"]
    frame.preemph_coeff, frame.remove_dc_offset = o["preEmphasis"], o["removeDcOffset"]
    mel.num_bins, mel.low_freq, mel.high_freq = o["melBins"], o["lowHz"], o["highHz"]
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(o["sampleRateHz"], (signal(o["sampleRateHz"]) * o["sampleScale"]).tolist())
    fbank.input_finished()
    return np.array([fbank.get_frame(t) for t in range(fbank.num_frames_ready)])


NEMO = [
    dict(sampleRateHz=16000, frameLengthMs=25, frameShiftMs=10, fftSize=512, melBins=80, lowHz=0, highHz=8000, preEmphasis=0.97, padFramesTo=16),
    dict(sampleRateHz=8000, frameLengthMs=25, frameShiftMs=10, fftSize=256, melBins=32, lowHz=50, highHz=0, preEmphasis=0, padFramesTo=1),
]


def nemo(o: dict) -> np.ndarray:
    rate, x = o["sampleRateHz"], signal(o["sampleRateHz"]).astype(np.float64)
    length, shift = rate * o["frameLengthMs"] // 1000, rate * o["frameShiftMs"] // 1000
    x = np.concatenate([x[:1], x[1:] - o["preEmphasis"] * x[:-1]])
    window = scipy.signal.windows.hann(length, sym=True)
    spectrum = librosa.stft(x, n_fft=o["fftSize"], hop_length=shift, win_length=length, window=window, center=True, pad_mode="constant")
    filters = librosa.filters.mel(sr=rate, n_fft=o["fftSize"], n_mels=o["melBins"], fmin=o["lowHz"], fmax=o["highHz"] or rate / 2, norm="slaney")
    frames = np.log(filters @ np.abs(spectrum) ** 2 + 2**-24).T[: len(x) // shift]
    return (frames - frames.mean(0)) / (frames.std(0, ddof=1) + 1e-5)


def families() -> dict:
    """What networks of the installable families are fed (src/models/families.ts): frames with their normalisation."""
    common = dict(sampleRateHz=16000, frameLengthMs=25, frameShiftMs=10, preEmphasis=0.97, removeDcOffset=True, snipEdges=True, lowHz=20, highHz=0, melBins=80)
    wespeaker = kaldi({**common, "window": "hamming", "sampleScale": 32768})
    speaker3d = kaldi({**common, "window": "povey", "sampleScale": 1})
    return {"wespeaker": rows(wespeaker - wespeaker.mean(0)), "3d-speaker": rows(speaker3d - speaker3d.mean(0)), "nemo": rows(nemo(NEMO[0]))}


def rows(frames: np.ndarray) -> dict:
    """A first, a middle, a half silent and the last row, as text: `frame: values`."""
    picked = [0, len(frames) // 2, len(frames) * 5 // 6 - 1, len(frames) - 1]
    return {"frames": len(frames), "rows": {str(t): " ".join(f"{v:.5f}" for v in frames[t]) for t in picked}}


def main() -> None:
    defaults = dict(frameLengthMs=25, frameShiftMs=10, preEmphasis=0.97, removeDcOffset=True, sampleScale=1)
    golden = {
        "origin": f"make_golden.py with kaldi-native-fbank {knf.__version__ if hasattr(knf, '__version__') else '1.23.0'}, "
                  f"librosa {librosa.__version__}, numpy {np.__version__}",
        "kaldi": [{"options": {**defaults, **o}, **rows(kaldi({**defaults, **o}))} for o in KALDI],
        "nemo": [{"options": o, **rows(nemo(o))} for o in NEMO],
        "families": families(),
    }
    with open(os.path.join(HERE, "golden.json"), "w") as file:
        json.dump(golden, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
