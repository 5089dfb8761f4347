"""Training batches of the speaker model: which pieces of speech, assembled on the device.

The packed audio lies whole in the device's memory, once for each playback speed; a speed
makes new speakers (class = speaker x speed). A batch is planned on the CPU (`Plan`: which
samples go where) by worker processes and cut out on the device (`assemble`).

Two kinds of examples: crops (one stretch of an utterance, the next one appended when it is
too short) and joins (pieces of 0.3 to 1 s, or whole words, of one speaker, with small gaps:
like digit strings).
"""
from dataclasses import dataclass

import numpy as np
import torch

from augment import resample
from data import SAMPLE_RATE, Pack
from speaker_split import group_of, speaker_rows

SPEEDS = {"1.0": (1, 1), "0.9": (10, 9), "1.1": (10, 11), "0.8": (5, 4), "1.25": (4, 5)}
LENGTHS = ((1.5, 0.25), (2.0, 0.4), (3.0, 0.35))   # (seconds, share of the batches)


@dataclass
class Plan:
    """src, dst, size: int64 [B, K] (source position, position in the example, samples);
    label: int64 [B]; samples: length of the examples."""
    src: torch.Tensor
    dst: torch.Tensor
    size: torch.Tensor
    label: torch.Tensor
    samples: int


class SpeedStore:
    """The audio at several speeds in one int16 tensor on `device`."""

    def __init__(self, pack: Pack, speeds, device, chunk: int = 18_000_000):
        self.speeds = list(speeds)
        total = len(pack.audio)
        self.base, parts = [], []
        position = 0
        for name in self.speeds:
            up, down = SPEEDS[name]
            self.base.append(position)
            size = 0
            step = chunk // (down * 10) * down * 10
            for begin in range(0, total, step):
                x = torch.from_numpy(np.array(pack.audio[begin: begin + step])).to(device)
                if up != down:
                    x = resample(x, up, down).round().clamp(-32768, 32767).to(torch.int16)
                parts.append(x)
                size += len(x)
            position += size
        self.audio = torch.cat(parts)


class Planner(torch.utils.data.IterableDataset):
    """Endless plans; `domain` int64 [classes]: each class's corpus and language, as a number."""

    def __init__(self, pack: Pack, heldout: set[str], speeds, base, seed: int = 1, batch_seconds: float = 1024,
                 per_speaker: int = 2, join: float = 0.4, speed_share: float = 0.5, balance: bool = True):
        self.rows = {n: r for n, r in speaker_rows(pack).items() if n not in heldout}
        self.names = list(self.rows)
        self.trim_start, self.trim_length = pack.trim_start, pack.trim_length
        self.whole_start, self.whole_length = pack.start, pack.length
        self.speeds, self.base, self.seed = list(speeds), list(base), seed
        self.batch_seconds, self.per_speaker, self.join, self.speed_share = batch_seconds, per_speaker, join, speed_share
        weights, word, domain = [], [], []
        for n in self.names:
            r = self.rows[n]
            seconds = self.trim_length[r].sum() / SAMPLE_RATE
            weight = min(seconds, 30.0) ** 0.5
            key = group_of(str(pack.corpus[r[0]]), str(pack.lang[r[0]]))
            weight *= {"common-voice/zh": 2.0, "arabic-speech-commands/other": 1.5, "speech-commands/en": 1.0}.get(key, 1.0)
            weights.append(weight if balance else 1.0)
            word.append(np.median(self.trim_length[r]) < 1.3 * SAMPLE_RATE)
            domain.append(f"{pack.corpus[r[0]]}/{str(pack.lang[r[0]])[:2]}")
        self.weights = np.array(weights) / np.sum(weights)
        self.domain = np.tile(np.unique(domain, return_inverse=True)[1], len(self.speeds))
        self.word = np.array(word)

    @property
    def classes(self) -> int:
        return len(self.names) * len(self.speeds)

    def pieces(self, rng, speaker: int, samples: int, joined: bool, up: int, down: int):
        """[(start, length)] at speed 1 that fill `samples` at the other speed, and the gaps."""
        rows = self.rows[self.names[speaker]]
        words = self.word[speaker]
        need, out = samples, []
        gap_most = 1000 if rng.random() < 0.5 else 200
        for _ in range(64):
            if need < 80 or len(out) == 16:
                break
            row = rows[rng.integers(len(rows))]
            start, length = int(self.trim_start[row]), int(self.trim_length[row])
            if not words and not joined and rng.random() < 0.25:
                start, length = int(self.whole_start[row]), int(self.whole_length[row])
            if words and rng.random() < 0.8:          # words: whole, the margins of silence mostly cut
                cut = min(600, length // 5)
                start, length = start + cut, length - 2 * cut
            elif joined:
                take = min(length, int(rng.uniform(0.3, 1.0) * SAMPLE_RATE))
                start, length = start + int(rng.integers(length - take + 1)), take
            else:
                take = min(length, -(-need * down // up) + 1)
                start, length = start + int(rng.integers(length - take + 1)), take
            size = length * up // down
            if size < 80:
                continue
            gap = int(rng.integers(gap_most)) if out and (joined or words) else 0
            need -= gap
            if need < 80:
                break
            size = min(size, need)
            out.append((gap, start, size))
            need -= size
        return out

    def plan(self, rng) -> Plan:
        seconds = LENGTHS[rng.choice(len(LENGTHS), p=[w for _, w in LENGTHS])][0]
        samples = int(seconds * SAMPLE_RATE)
        count = max(self.per_speaker, int(self.batch_seconds / seconds) // 16 * 16)
        drawn = rng.choice(len(self.names), count // self.per_speaker, p=self.weights)
        k = 16
        src, dst, size = (np.zeros((count, k), dtype=np.int64) for _ in range(3))
        label = np.zeros(count, dtype=np.int64)
        for i in range(count):
            speaker = int(drawn[i // self.per_speaker])
            if i % self.per_speaker == 0:
                speed = int(rng.integers(1, len(self.speeds))) if len(self.speeds) > 1 and rng.random() < self.speed_share else 0
            up, down = SPEEDS[self.speeds[speed]]
            position = 0
            for j, (gap, start, length) in enumerate(self.pieces(rng, speaker, samples, rng.random() < self.join, up, down)):
                position += gap
                src[i, j] = self.base[speed] + start * up // down
                dst[i, j], size[i, j] = position, length
                position += length
            label[i] = speed * len(self.names) + speaker
        used = int((size > 0).sum(1).max())
        return Plan(*(torch.from_numpy(np.ascontiguousarray(v[:, :used])) for v in (src, dst, size)),
                    torch.from_numpy(label), samples)

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            yield self.plan(rng)


@torch.no_grad()
def assemble(audio: torch.Tensor, plan: Plan, fade: int = 40) -> torch.Tensor:
    """Cut a plan's examples out of the stored audio: float32 [B, samples] in [-1, 1].

    Every piece fades in and out over `fade` samples (5 ms), so that joins don't click.
    """
    device = audio.device
    src, dst, size = (v.to(device, non_blocking=True) for v in (plan.src, plan.dst, plan.size))
    begin = torch.where(size > 0, dst, 1 << 40)     # unused places come after every sample
    begin[:, 0] = 0                                 # before the first piece counts as its fade
    position = torch.arange(plan.samples, device=device).expand(src.shape[0], -1).contiguous()
    piece = torch.searchsorted(begin, position, right=True) - 1
    inside = position - dst.gather(1, piece)
    remaining = size.gather(1, piece) - inside
    gain = (torch.minimum(inside + 1, remaining).float() / fade).clamp(0.0, 1.0)
    index = (src.gather(1, piece) + inside).clamp_(0, len(audio) - 1)
    return audio[index].float() * (gain / 32768.0)


def segment_plan(segments: list, indices, samples: int) -> Plan:
    """A plan that lays out whole segments (lists of (start, length)); short ones are repeated."""
    k = 1
    filled = []
    for i in indices:
        out, position = [], 0
        while position < samples:
            for start, length in segments[i]:
                length = min(length, samples - position)
                if length > 0:
                    out.append((start, position, length))
                    position += length
        filled.append(out)
        k = max(k, len(out))
    arrays = np.zeros((3, len(filled), k), dtype=np.int64)
    for i, out in enumerate(filled):
        for j, piece in enumerate(out):
            arrays[:, i, j] = piece
    return Plan(*(torch.from_numpy(v.copy()) for v in arrays), torch.zeros(len(filled), dtype=torch.int64), samples)
