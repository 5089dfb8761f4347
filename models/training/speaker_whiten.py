"""Fold a mild linear correction into a trained network's last layer; no new operation at run time.

    python speaker_whiten.py --checkpoint runs/joint/small.pt --pack cache/train \
        --heldout heldout-speakers.txt --out runs/joint/final.pt

From training speakers only (never the held-out ones), up to --speakers of each corpus and
language, three segments each (a crop, a digit-like join, an augmented one):
  mu  mean embedding
  W   scatter within speakers (content, channel), scaled to mean diagonal 1
  B   scatter of the means of corpus x language x kind of segment (what a domain has in common,
      which otherwise lifts the cosine of all its impostors), scaled likewise
Embeddings become (I + w W + b B)^(-1/2) (e - mu), with --within w and --between b. Both are
chosen on held-out trials whose impostors share corpus and exact language (--sweep prints them).
"""
import argparse

import numpy as np
import torch

import augment
from common import Progress, eer, min_dcf, save_atomic, seed_everything
from data import SAMPLE_RATE, load_pack
from features import Fbank, normalise
from speaker_data import Plan, Planner, assemble, segment_plan
from speaker_export import load
from speaker_split import group_of, heldout_trials, read_names


def segment(planner: Planner, rng, audio, speakers, join: bool, seconds: float = 2.5) -> torch.Tensor:
    """One segment of each speaker (numbers), float32 [n, samples]."""
    arrays = np.zeros((3, len(speakers), 16), dtype=np.int64)
    samples = int(seconds * SAMPLE_RATE)
    for i, speaker in enumerate(speakers):
        position = 0
        for j, (gap, start, length) in enumerate(planner.pieces(rng, int(speaker), samples, join, 1, 1)):
            arrays[:, i, j] = start, position + gap, length
            position += gap + length
    return assemble(audio, Plan(*(torch.from_numpy(a.copy()) for a in arrays), torch.zeros(len(speakers)), samples))


def collect(model, pack, heldout, audio, device, most: int, seed: int):
    """Embeddings [n, D], speaker numbers, and the kind (group and segment type) of each."""
    planner, rng = Planner(pack, heldout, ["1.0"], [0]), np.random.default_rng(seed)
    groups = np.array([group_of(str(pack.corpus[planner.rows[n][0]]), str(pack.lang[planner.rows[n][0]]))
                       for n in planner.names])
    chosen = np.concatenate([rng.choice(np.nonzero(groups == g)[0], min(most, int((groups == g).sum())), replace=False)
                             for g in np.unique(groups)])
    fbank, chain = Fbank().to(device), augment.Augment()
    out, who, kind = [], [], []
    bar = Progress("embed", len(chosen))
    with torch.no_grad():
        for begin in range(0, len(chosen), 32):
            part = chosen[begin: begin + 32]
            for name, join, noisy in (("crop", False, False), ("join", True, False), ("line", rng.random() < 0.5, True)):
                x = segment(planner, rng, audio, part, join)
                out.append(model(normalise(fbank(chain(x) if noisy else x))).float().cpu().numpy())
                who.extend(part)
                kind.extend(f"{groups[s]} {name}" for s in part)
            bar.update(begin + len(part))
    return np.concatenate(out).astype(np.float64), np.array(who), np.array(kind)


def scatters(embeddings, who, kind):
    """(mu, W, B), W and B with mean diagonal 1."""
    mu = embeddings.mean(0)
    within = np.zeros((len(mu), len(mu)))
    for speaker in np.unique(who):
        d = embeddings[who == speaker]
        d = d - d.mean(0)
        within += d.T @ d
    means = np.array([embeddings[kind == k].mean(0) - mu for k in np.unique(kind)])
    between = means.T @ means
    return mu, within / np.trace(within) * len(mu), between / np.trace(between) * len(mu)


def correction(within, between, w: float, b: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.eye(len(within)) + w * within + b * between)
    return vectors @ np.diag(values ** -0.5) @ vectors.T


def fold(model, matrix: np.ndarray, mu: np.ndarray) -> None:
    """Put embedding -> matrix (embedding - mu) into the last linear layer; its norm becomes the identity."""
    head = model.head
    norm, linear = head.last, head.linear
    with torch.no_grad():
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        weight = linear.weight.double() * gain[:, None]
        bias = (linear.bias.double() - norm.running_mean.double()) * gain + norm.bias.double()
        a = torch.from_numpy(matrix)
        linear.weight.copy_(a @ weight)
        linear.bias.copy_(a @ (bias - torch.from_numpy(mu)))
        norm.weight.fill_(1.0)
        norm.bias.zero_()
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def heldout_embeddings(model, pack, names, audio, device):
    """Embeddings of the held-out segments, and the trials (impostors of exactly the same language)."""
    trials = heldout_trials(pack, names, exact_language=True)
    fbank, out = Fbank().to(device), []
    with torch.no_grad():
        for begin in range(0, len(trials.segments), 32):
            x = assemble(audio, segment_plan(trials.segments, range(begin, min(begin + 32, len(trials.segments))), 24000))
            out.append(model(normalise(fbank(x))).float().cpu().numpy())
    return np.concatenate(out).astype(np.float64), trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--heldout", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--speakers", type=int, default=110, help="at most, of each corpus and language")
    parser.add_argument("--within", type=float, default=0.1)
    parser.add_argument("--between", type=float, default=0.1)
    parser.add_argument("--sweep", action="store_true", help="print held-out rates for a grid first")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    seed_everything(args.seed)
    device = torch.device(args.device)
    pack, names = load_pack(args.pack), read_names(args.heldout)
    audio = torch.from_numpy(np.array(pack.audio)).to(device)
    model, config = load(args.checkpoint)
    model = model.to(device)
    mu, within, between = scatters(*collect(model, pack, names, audio, device, args.speakers, args.seed))
    if args.sweep:
        e, trials = heldout_embeddings(model, pack, names, audio, device)
        for w, b, centre in [(0, 0, 0)] + [(w, b, 1) for w in (0, 0.1, 0.3, 1) for b in (0, 0.03, 0.1, 0.3, 1)]:
            y = (e - centre * mu) @ correction(within, between, w, b)
            y /= np.linalg.norm(y, axis=1, keepdims=True)
            score = (y[trials.enrol] * y[trials.test]).sum(1)
            print(f"centred {centre} within {w} between {b}: held-out EER {100 * eer(score, trials.label):.2f} % "
                  f"minDCF {min_dcf(score, trials.label):.3f}")
    model = model.cpu()
    fold(model, correction(within, between, args.within, args.between), mu)
    save_atomic({"config": config, "ema": model.state_dict(),
                 "correction": {"within": args.within, "between": args.between, "seed": args.seed}}, args.out)


if __name__ == "__main__":
    main()
