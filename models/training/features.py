"""Log-mel front-end, Kaldi's as `sherpa-onnx` runs it for 8 kHz speech.

Shapes and units
  samples   float32 [B, N], 8 kHz, in [-1, 1]
  log-mel   float32 [B, T, 80], natural logarithm of filter energies,
            T = (N + 40) // 80 (frames of 25 ms every 10 ms, `snip_edges=false`:
            frame t is centred at sample 80 t + 40, the signal mirrored at both ends)

Source: Kaldi's feature-window / mel-computations conventions as given in the baseline's
page (window "povey", pre-emphasis 0.97, DC removal per frame, FFT 256, filters between
20 and 3600 Hz, bins 0..127, no dither, no energy). Works on CPU and on a GPU, batched.
"""
import math

import numpy as np
import torch

SAMPLE_RATE = 8000
WINDOW = 200
SHIFT = 80
FFT = 256
MELS = 80
LOW_HZ = 20.0
HIGH_HZ = 3600.0
FLOOR = 1.1920929e-07


def frame_count(samples: int) -> int:
    """Number of frames of a signal of `samples` samples."""
    return (samples + SHIFT // 2) // SHIFT


def mel(hz):
    """Kaldi's mel scale."""
    return 1127.0 * np.log(1.0 + np.asarray(hz, dtype=np.float64) / 700.0)


def mel_matrix() -> np.ndarray:
    """Triangular filters, float32 [128 bins, 80 filters]; triangles are linear in mel."""
    low, high = mel(LOW_HZ), mel(HIGH_HZ)
    step = (high - low) / (MELS + 1)
    bins = mel(np.arange(FFT // 2) * SAMPLE_RATE / FFT)[:, None]
    left = low + np.arange(MELS)[None, :] * step
    up = (bins - left) / step
    down = (left + 2 * step - bins) / step
    return np.maximum(0.0, np.minimum(up, down)).astype(np.float32)


def povey_window() -> np.ndarray:
    n = np.arange(WINDOW)
    return ((0.5 - 0.5 * np.cos(2 * math.pi * n / (WINDOW - 1))) ** 0.85).astype(np.float32)


class Fbank(torch.nn.Module):
    """`forward(samples [B, N]) -> log-mel [B, T, 80]`, before mean subtraction."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.from_numpy(povey_window()), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_matrix()), persistent=False)

    @torch.no_grad()
    def forward(self, samples: torch.Tensor, step=None, count: int = 0, shift=None) -> torch.Tensor:
        """`step` [B]: `count` frames, one every so many samples instead of every 80, so that speech is
        hurried or slowed with no frame blurred by reading between frames. `shift` [B]: filter m
        lies where filter `shift * m` does (a longer or shorter vocal tract)."""
        x = samples.float()
        left = (WINDOW - SHIFT) // 2
        right = WINDOW
        own = x.shape[1]
        x = torch.cat([x[:, :left].flip(1), x, x[:, -right:].flip(1)], dim=1)
        if step is None:
            frames = x.unfold(1, WINDOW, SHIFT)[:, : frame_count(own)]
        else:
            first = (torch.arange(count, device=x.device)[None] * step[:, None]).round().long().clamp(max=own)
            places = first[:, :, None] + torch.arange(WINDOW, device=x.device)
            frames = x.gather(1, places.flatten(1)).view(len(x), count, WINDOW)
        frames = frames - frames.mean(dim=2, keepdim=True)
        first = frames[:, :, :1] * (1.0 - 0.97)
        frames = torch.cat([first, frames[:, :, 1:] - 0.97 * frames[:, :, :-1]], dim=2)
        spectrum = torch.fft.rfft(frames * self.window, n=FFT, dim=2)[:, :, : FFT // 2]
        power = spectrum.real.square() + spectrum.imag.square()
        with torch.autocast(device_type=power.device.type, enabled=False):
            energies = power @ (self.filters if shift is None else self.shifted(shift))
        return energies.clamp_min(FLOOR).log()

    def shifted(self, shift: torch.Tensor) -> torch.Tensor:
        """Filters [B, 128 bins, 80] of which number m lies where number `shift * m` does."""
        low, high = float(mel(LOW_HZ)), float(mel(HIGH_HZ))
        width = (high - low) / (MELS + 1)
        bins = torch.from_numpy(mel(np.arange(FFT // 2) * SAMPLE_RATE / FFT)).float().to(shift.device)
        m = (torch.arange(MELS, device=shift.device) * shift[:, None]).clamp(max=MELS - 1.0)
        up = (bins[None, :, None] - low) / width - m[:, None, :]
        return torch.minimum(up, 2 - up).clamp_min(0.0)


def normalise(logmel: torch.Tensor) -> torch.Tensor:
    """Subtract each band's mean over the utterance (`feature_normalize_type=global-mean`)."""
    return logmel - logmel.mean(dim=1, keepdim=True)


def golden_signal() -> np.ndarray:
    """The baseline page's test signal, float32 [16000] in [-1, 1]."""
    n = np.arange(16000)
    t = n / 8000.0
    x = (6000 * np.sin(2 * math.pi * (200 * t + 150 * t * t))
         + 4000 * np.sin(2 * math.pi * (1500 * t - 200 * t * t))
         + 2000 * np.sin(2 * math.pi * 3000 * t) * (n % 1600 < 800))
    return (np.round(x) / 32768.0).astype(np.float32)


def check_golden(path: str) -> float:
    """Largest absolute difference to the log-mel rows of a golden.json."""
    import json
    with open(path, encoding="utf-8") as file:
        golden = json.load(file)
    ours = Fbank()(torch.from_numpy(golden_signal())[None])[0].numpy()
    worst = 0.0
    for key, row in golden.items():
        if key.startswith("logmel_before_mean_frame"):
            worst = max(worst, float(np.abs(ours[int(key[24:])] - np.array(row)).max()))
    return worst


if __name__ == "__main__":
    import sys
    print(f"largest difference to the golden log-mel rows: {check_golden(sys.argv[1]):.2e}")
