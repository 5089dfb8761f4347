"""Small things every step shares: progress, checkpoints, error rates.

Scores are float arrays, labels 1 = same speaker (target), 0 = different speakers.
"""
import json
import os
import random
import sys
import time

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % (2 ** 32))
    torch.manual_seed(seed)


def log(text: str, path: str | None = None) -> None:
    """Print a line at once and, if a path is given, append it there too."""
    print(text, flush=True)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")


class Progress:
    """A one-line progress bar with the time left, on standard error.

    `update(done)` where done runs from 0 to `total` (any unit). On something that is no
    terminal it prints at most one line every 15 seconds.
    """

    def __init__(self, name: str, total: float):
        self.name, self.total = name, max(float(total), 1e-9)
        self.start = self.shown = time.time()
        self.tty = sys.stderr.isatty()

    def update(self, done: float, note: str = "") -> None:
        now = time.time()
        if now - self.shown < (0.2 if self.tty else 15.0) and done < self.total:
            return
        self.shown = now
        part = min(1.0, done / self.total)
        left = (now - self.start) * (1 - part) / part if part > 0 else 0.0
        bar = "#" * int(24 * part)
        line = f"{self.name} [{bar:<24}] {100 * part:5.1f} %  left {int(left) // 60}:{int(left) % 60:02d}  {note}"
        sys.stderr.write(("\r" + line + "\033[K") if self.tty else line + "\n")
        if self.tty and part >= 1:
            sys.stderr.write("\n")
        sys.stderr.flush()


def save_atomic(value, path: str) -> None:
    """torch.save, so that a crash never leaves half a checkpoint."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    torch.save(value, path + ".part")
    os.replace(path + ".part", path)


def write_json(value, path: str) -> None:
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def half(state: dict) -> dict:
    """A state dict with the weight matrices in float16 (vectors and counters stay)."""
    return {k: v.half() if v.is_floating_point() and v.dim() > 1 else v for k, v in state.items()}


# ---------------------------------------------------------------- error rates

def _curves(scores, labels):
    """Misses and false alarms at every threshold, from accepting none to accepting all.

    Equal scores move together: a tie is never broken in favour of either side.
    """
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    order = np.argsort(-scores, kind="stable")
    ranked, hit = scores[order], (labels[order] == 1).astype(np.float64)
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    tar, non = max(hit.sum(), 1), max((1 - hit).sum(), 1)
    fnr = np.concatenate([[1.0], 1 - np.cumsum(hit)[last] / tar])
    fpr = np.concatenate([[0.0], np.cumsum(1 - hit)[last] / non])
    return fnr, fpr


def eer(scores, labels) -> float:
    """Equal error rate, a fraction; linear between the two thresholds around the crossing."""
    fnr, fpr = _curves(scores, labels)
    i = int(np.argmax(fpr >= fnr))
    if i == 0:
        return float((fnr[0] + fpr[0]) / 2)
    d0, d1 = fnr[i - 1] - fpr[i - 1], fnr[i] - fpr[i]
    w = d0 / (d0 - d1) if d0 != d1 else 0.5
    return float(fpr[i - 1] + w * (fpr[i] - fpr[i - 1]))


def min_dcf(scores, labels, prior: float = 0.01) -> float:
    """Smallest detection cost (both costs 1), divided by the cost of a system without ears."""
    fnr, fpr = _curves(scores, labels)
    return float((prior * fnr + (1 - prior) * fpr).min() / min(prior, 1 - prior))


def bootstrap(scores, labels, metric, rounds: int = 200, seed: int = 7, groups=None):
    """95 % interval of `metric(scores, labels)`.

    With `groups` (the model of each trial) whole models are drawn, so that the trials of
    one speaker stay together; else single trials are drawn, by label.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    rng = np.random.default_rng(seed)
    values = []
    if groups is None:
        parts = [np.nonzero(labels == v)[0] for v in (0, 1)]
        draw = lambda: np.concatenate([rng.choice(p, len(p)) for p in parts])
    else:
        names, inverse = np.unique(np.asarray(groups), return_inverse=True)
        members = [np.nonzero(inverse == i)[0] for i in range(len(names))]
        draw = lambda: np.concatenate([members[i] for i in rng.integers(0, len(names), len(names))])
    for _ in range(rounds):
        picked = draw()
        if labels[picked].min() != labels[picked].max():
            values.append(metric(scores[picked], labels[picked]))
    return (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5)))
