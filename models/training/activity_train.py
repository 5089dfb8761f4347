"""Trains activity-8k on the mixes of activity_data.py and writes model.onnx.

    python activity_train.py --mixes cache/long --mixes cache/short --held-out cache/held-out --out ../activity-8k/model.onnx

Frames [1, T, 32] (log-mel every 16 ms) -> speech probability per 32 ms [1, ceil(T / 2), 1]. The loss is cross-entropy against the
teacher's probability. Each time a mix is seen its level moves by -26 to +10 dB (on the log-mel frames, floor included),
one or a few mel bands at the edges may be emptied.
"""
import argparse
import math
import os

import numpy as np
import torch
from torch import nn

from activity_data import FLOOR, MELS
from common import Progress, log, seed_everything


class Activity(nn.Module):
    """29,169 parameters: a convolution that halves the rate, two that look 96 ms around, a GRU that only looks back."""

    def __init__(self, width: int = 40, memory: int = 48):
        super().__init__()
        self.halve = nn.Conv1d(MELS, width, 5, stride=2, padding=2)
        self.near = nn.Conv1d(width, width, 3, padding=1)
        self.far = nn.Conv1d(width, width, 3, padding=2, dilation=2)
        self.memory = nn.GRU(width, memory, batch_first=True)
        self.score = nn.Linear(width + memory, 1)

    def logit(self, frames: torch.Tensor) -> torch.Tensor:
        """[B, T, 32] -> [B, ceil(T / 2), 1]"""
        x = torch.relu(self.halve(((frames + 8.0) / 4.0).transpose(1, 2)))
        x = x + torch.relu(self.near(x))
        x = (x + torch.relu(self.far(x))).transpose(1, 2)
        return self.score(torch.cat([x, self.memory(x)[0]], dim=2))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logit(frames))


def vary(frames: torch.Tensor) -> torch.Tensor:
    """Another level for each mix, floor kept; now and then the outer bands emptied."""
    b = frames.shape[0]
    gain = torch.empty(b, 1, 1).uniform_(-26, 10) * (math.log(10) / 10)
    x = frames + gain
    for band in (slice(0, int(torch.randint(1, 6, ()))), slice(MELS - int(torch.randint(1, 4, ())), MELS)):
        x[:, :, band] -= (torch.rand(b, 1, 1) < 0.15) * torch.empty(b, 1, 1).uniform_(2, 8)
    return x.clamp_min(math.log(FLOOR))


def held_out(model: Activity, frames: np.ndarray, teacher: np.ndarray, kinds: np.ndarray) -> str:
    """Ratio of frames at 0.5 or above, ours to the teacher's, and share of frames judged alike, by background."""
    with torch.no_grad():
        ours = torch.cat([model(torch.from_numpy(frames[i: i + 60].astype(np.float32)))[:, :, 0] for i in range(0, len(frames), 60)]).numpy()
    lines = []
    for kind in sorted(set(kinds.tolist())):
        rows = kinds == kind
        a, b = ours[rows] >= 0.5, teacher[rows] >= 0.5
        lines.append(f"{kind} {a.sum() / max(b.sum(), 1):.3f}/{(a == b).mean():.3f}")
    return "  ".join(lines)


def batches(parts: list, size: int):
    """All rows of all parts once, in random order; a batch is of one part, because lengths differ."""
    drawn = []
    for part, (frames, _) in enumerate(parts):
        order = np.random.permutation(len(frames))
        drawn += [(part, np.sort(order[at: at + size])) for at in range(0, len(order) - size + 1, size)]
    for i in np.random.permutation(len(drawn)):
        part, rows = drawn[i]
        yield *parts[part], rows


def export(model: Activity, path: str) -> None:
    """ONNX, opset 17: `frames` [1, T, 32] float32 -> `speech` [1, ceil(T / 2), 1]."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    torch.onnx.export(model.eval(), (torch.zeros(1, 100, MELS),), path, input_names=["frames"], output_names=["speech"],
                      dynamic_axes={"frames": {1: "T"}, "speech": {1: "U"}}, opset_version=17, dynamo=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mixes", action="append", required=True, help="a folder of activity_data.py, may repeat")
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    torch.set_num_threads(1)
    seed_everything(args.seed)
    load = lambda folder, name: np.load(os.path.join(folder, name + ".npy"), mmap_mode="r")
    parts = [(load(folder, "frames"), np.asarray(load(folder, "teacher"), dtype=np.float32)) for folder in args.mixes]
    checks = [np.asarray(load(args.held_out, name)) for name in ("frames", "teacher", "kind")]
    model = Activity()
    log(f"{sum(p.numel() for p in model.parameters())} parameters, {[len(f) for f, _ in parts]} mixes")
    steps = args.epochs * sum(len(f) // args.batch for f, _ in parts)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps, pct_start=0.1)
    bar, done = Progress("train", steps), 0
    for epoch in range(args.epochs):
        total = 0.0
        model.train()
        for frames, teacher, rows in batches(parts, args.batch):
            x, y = torch.from_numpy(frames[rows].astype(np.float32)), torch.from_numpy(teacher[rows])
            loss = nn.functional.binary_cross_entropy_with_logits(model.logit(vary(x))[:, :, 0], y)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done, total = done + 1, total + float(loss.detach())
            bar.update(done)
        model.eval()
        log(f"epoch {epoch + 1} loss {total * args.epochs / steps:.4f}  {held_out(model, *checks)}")
        export(model, args.out)


if __name__ == "__main__":
    main()
