"""The teacher of activity-8k: Silero VAD v5 at 8 kHz, and the spans its probabilities mean.

Input and state as the model's own wrapper uses them: windows of 256 samples (32 ms), each preceded by the
last 32 samples of the window before (zeros at the start), state [2, B, 128] carried from window to window.
Signals of a batch run side by side, so a list of files costs a fraction of one-by-one calls.
"""
import numpy as np
import onnxruntime

WINDOW = 256
CONTEXT = 32
RATE = 8000


class Silero:
    def __init__(self, path: str, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.rate = np.array(RATE, dtype=np.int64)

    def probabilities(self, signals: np.ndarray) -> np.ndarray:
        """float32 [B, N] in [-1, 1] -> speech probability per window, [B, ceil(N / 256)]; the last window is zero-padded."""
        signals = np.asarray(signals, dtype=np.float32)
        b, n = signals.shape
        steps = -(-n // WINDOW)
        x = np.zeros((b, CONTEXT + steps * WINDOW), np.float32)
        x[:, CONTEXT:CONTEXT + n] = signals
        state = np.zeros((2, b, 128), np.float32)
        out = np.empty((b, steps), np.float32)
        for t in range(steps):
            piece = x[:, t * WINDOW: t * WINDOW + CONTEXT + WINDOW]
            p, state = self.session.run(None, {"input": piece, "state": state, "sr": self.rate})
            out[:, t] = p[:, 0]
        return out

    def files(self, signals: list, batch: int = 64) -> list:
        """As `probabilities` for signals of different lengths: one array per signal."""
        order = sorted(range(len(signals)), key=lambda i: len(signals[i]))
        result = [None] * len(signals)
        for at in range(0, len(order), batch):
            chosen = order[at: at + batch]
            longest = max(len(signals[i]) for i in chosen)
            x = np.zeros((len(chosen), longest), np.float32)
            for row, i in enumerate(chosen):
                x[row, :len(signals[i])] = signals[i]
            p = self.probabilities(x)
            for row, i in enumerate(chosen):
                result[i] = p[row, : -(-len(signals[i]) // WINDOW)]
        return result


def spans(p, samples: int, hop: int = WINDOW, on: float = 0.5, off: float = 0.35, min_speech_ms: int = 250,
          min_silence_ms: int = 100, pad_ms: int = 30) -> list:
    """Speech spans [(start, end)] in samples from probabilities every `hop` samples.

    Silero's published defaults: speech begins at p >= 0.5, ends where p has been below 0.35 for 100 ms (the end is
    where it fell), spans under 250 ms are dropped, 30 ms are added at both ends (or half of a shorter pause).
    """
    min_speech, min_silence, pad = (v * RATE // 1000 for v in (min_speech_ms, min_silence_ms, pad_ms))
    found, start, fell = [], None, None
    for t, value in enumerate(p):
        at = t * hop
        if value >= on:
            fell = None
            if start is None:
                start = at
        elif value < off and start is not None:
            if fell is None:
                fell = at
            if at - fell >= min_silence:
                if fell - start > min_speech:
                    found.append([start, fell])
                start = fell = None
    if start is not None and samples - start > min_speech:
        found.append([start, samples])
    for i, span in enumerate(found):
        if i == 0:
            span[0] = max(0, span[0] - pad)
        if i + 1 < len(found):
            gap = found[i + 1][0] - span[1]
            grow = pad if gap >= 2 * pad else gap // 2
            span[1] += grow
            found[i + 1][0] = max(0, found[i + 1][0] - grow)
        else:
            span[1] = min(samples, span[1] + pad)
    return [tuple(s) for s in found]


def net_seconds(found: list) -> float:
    return sum(end - start for start, end in found) / RATE
