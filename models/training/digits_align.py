"""Step 4: where each syllable and word lies, by forced alignment of the training text.

    python digits_align.py --manifest manifest.json --audio audio.npy --checkpoint a.pt
                           --out cuts.npz

Viterbi over the `align` output (initials, finals, phones) of a model trained by
digits_train.py without cuts; a checkpoint that has lost this output gets a linear one, fitted
here to its frozen encoder.  Only utterances that hold a digit or a homophone.  A unit reaches from its first phone's first frame to its
last phone's last frame; the blanks between units are shared half and half, at most
120 ms each, and then quiet edges (25 dB below the unit's loudest 10 ms) are cut off.  `cuts.npz`: rows int32 [R] (row numbers of the manifest as loaded), counts int32 [R],
bounds int64 [sum counts, 2] (first and last + 1 sample within the utterance), score float32 [R]
(mean log-posterior per frame).
"""
import argparse
import math
import multiprocessing
import os

import numpy as np
import torch

import digits_data
import digits_model
import digits_units as du
import features
from common import Progress

PRIOR_WEIGHT = 0.3


def viterbi(logp: np.ndarray, labels: list[int]):
    """Frames of each label under CTC: (first [n], last [n], score) or None if it cannot fit."""
    n, t = len(labels), len(logp)
    states = np.zeros(2 * n + 1, int)
    states[1::2] = labels
    skip = np.zeros(2 * n + 1, bool)
    skip[3::2] = states[3::2] != states[1:-2:2]
    emit = logp[:, states]
    score = np.full(2 * n + 1, -np.inf)
    score[:2] = emit[0, :2]
    back = np.zeros((t, 2 * n + 1), np.int8)
    for k in range(1, t):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skip, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        options = np.stack([score, one, two])
        back[k] = options.argmax(0)
        score = options.max(0) + emit[k]
    s = 2 * n if score[-1] >= score[-2] else 2 * n - 1
    best = score[s]
    if not np.isfinite(best):
        return None
    first, last = np.full(n, -1), np.full(n, -1)
    for k in range(t - 1, -1, -1):
        if s % 2:
            first[s // 2] = k
            if last[s // 2] < 0:
                last[s // 2] = k
        s -= int(back[k, s])
    return first, last, best / t


def unit_bounds(logp, phones, samples):
    """[n, 2] first and last + 1 sample of each unit within the utterance, and the score."""
    flat = [p for unit in phones for p in unit]
    found = viterbi(logp, flat)
    if found is None:
        return None
    first, last, score = found
    ends = np.cumsum([len(u) for u in phones])
    a, b = first[ends - [len(u) for u in phones]], last[ends - 1]
    left, right = a - 4.0, b + 4.0                       # at most four frames of blank
    if len(a) > 1:
        middle = (b[:-1] + a[1:]) / 2
        left[1:] = np.maximum(left[1:], middle)
        right[:-1] = np.minimum(right[:-1], middle)
    out = np.stack([left * 240 + 40, right * 240 + 40], axis=1)
    return np.clip(np.round(out), 0, samples).astype(np.int64), score


_ROWS = None
_AUDIO = None


def trim(samples: np.ndarray, bounds: np.ndarray, below_db: float = 25.0) -> np.ndarray:
    """Moves each unit's bounds inwards over quiet 10 ms steps."""
    out = bounds.copy()
    for k, (a, b) in enumerate(bounds):
        steps = (b - a) // 80
        if steps < 8:
            continue
        x = samples[a:a + steps * 80].astype(np.float32).reshape(steps, 80)
        level = 10 * np.log10((x * x).mean(1) + 1.0)
        loud = np.nonzero(level > level.max() - below_db)[0]
        out[k] = a + 80 * max(0, loud[0] - 1), min(b, a + 80 * (loud[-1] + 2))
    return out


def _job(job):
    number, logp = job
    row = _ROWS[number]
    found = unit_bounds(logp.astype(np.float32), row["phones"], row["len"])
    if found is not None:
        samples = np.asarray(_AUDIO[row["at"]:row["at"] + row["len"]])
        found = trim(samples, found[0]), found[1]
    return number, found


@torch.no_grad()
def encoded(net, audio, rows, order, device, batch_seconds=100):
    """Yields (row number, float16 [T', channels]): the network's last hidden layer."""
    fbank = features.Fbank().to(device)
    k = 0
    while k < len(order):
        take = max(1, int(batch_seconds * 8000 / rows[order[k]]["len"]))
        group = order[k:k + take]
        k += take
        x = np.zeros((len(group), rows[group[0]]["len"]), np.float32)
        for j, i in enumerate(group):
            r = rows[i]
            x[j, :r["len"]] = audio[r["at"]:r["at"] + r["len"]] / 32768.0
        logmel = fbank(torch.from_numpy(x).to(device))
        # Shorter utterances of a group: their own mean, then zeros behind their end.
        count = torch.tensor([features.frame_count(rows[i]["len"]) for i in group],
                             device=device).clamp(max=logmel.shape[1])
        mask = torch.arange(logmel.shape[1], device=device)[None] < count[:, None]
        mean = (logmel * mask[:, :, None]).sum(1) / count[:, None]
        feats = (logmel - mean[:, None]) * mask[:, :, None]
        hidden = net.encode(feats).transpose(1, 2).half().cpu()
        for j, i in enumerate(group):
            yield i, hidden[j, :(int(count[j]) + 2) // 3]


def fit_head(hidden, rows, phones, steps=400, rows_a_step=48):
    """(linear layer, prior): an alignment output on a finished encoder, CTC with label priors."""
    head = torch.nn.Linear(next(iter(hidden.values())).shape[1], phones)
    prior = torch.full((phones,), -math.log(phones))
    numbers = [i for i in hidden if rows[i]["kind"] == "sentence"]
    rng = np.random.default_rng(1)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-2)
    progress = Progress("fit", steps)
    for step in range(steps):
        picks = [numbers[int(k)] for k in rng.integers(0, len(numbers), rows_a_step)]
        sizes = torch.tensor([len(hidden[i]) for i in picks])
        x = torch.nn.utils.rnn.pad_sequence([hidden[i].float() for i in picks], batch_first=True)
        logp = torch.log_softmax(head(x), dim=2)
        with torch.no_grad():
            inside = torch.arange(x.shape[1])[None] < sizes[:, None]
            mean = torch.logsumexp(logp[inside], 0) - math.log(int(sizes.sum()))
            prior = torch.logaddexp(prior + math.log(0.95), mean + math.log(0.05))
        labels = [[p for u in rows[i]["phones"] for p in u] for i in picks]
        loss = torch.nn.functional.ctc_loss(
            (logp - PRIOR_WEIGHT * prior).transpose(0, 1),
            torch.tensor([p for x in labels for p in x]), sizes,
            torch.tensor([len(x) for x in labels]), zero_infinity=True)
        optimiser.param_groups[0]["lr"] = 1e-2 * (1 - 0.95 * step / steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        progress.update(step + 1, f"loss {float(loss.detach()):.3f}")
    return head, prior


def main():
    global _ROWS, _AUDIO
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--audio", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=int, default=0)
    args = parser.parse_args()
    data, audio = digits_data.load(args.manifest, args.audio, args.limit)
    rows, _AUDIO = data["rows"], audio
    _ROWS = rows
    net, state = digits_model.load_checkpoint(args.checkpoint)
    net.to(args.device)
    digit_units = {data["units"].index(u) for lex in du.LEXICON.values() for us in lex.values()
                   for u in us}
    order = sorted((i for i, r in enumerate(rows)
                    if r["kind"] != "synth" and digit_units & set(r["units"])),
                   key=lambda i: -rows[i]["len"])
    progress = Progress("encode", len(order))
    hidden = {}
    for number, x in encoded(net, audio, rows, order, args.device):
        hidden[number] = x
        progress.update(len(hidden))
    if net.align is None:
        head, prior = fit_head(hidden, rows, len(data["phones"]))
    else:
        head, prior = torch.nn.Linear(net.align.in_channels, net.align.out_channels), state["prior"]
        head.weight.data, head.bias.data = net.align.weight.data[:, :, 0].cpu(), net.align.bias.data.cpu()

    def source():
        for number, x in hidden.items():
            with torch.no_grad():
                yield number, (torch.log_softmax(head(x.float()), 1) - PRIOR_WEIGHT * prior).numpy()

    results = []
    progress = Progress("align", len(order))
    if args.jobs > 1:
        pool = multiprocessing.Pool(args.jobs)
        stream = pool.imap_unordered(_job, source(), chunksize=16)
    else:
        stream = map(_job, source())
    for count, (number, found) in enumerate(stream):
        if found is not None:
            results.append((number, found[0], found[1]))
        progress.update(count + 1)
    results.sort(key=lambda r: r[0])
    np.savez(args.out, rows=np.array([r[0] for r in results], np.int32),
             counts=np.array([len(r[1]) for r in results], np.int32),
             bounds=np.concatenate([r[1] for r in results]),
             score=np.array([r[2] for r in results], np.float32))
    print(f"aligned {len(results)} of {len(order)}; score median "
          f"{np.median([r[2] for r in results]):.3f}")


def load_cuts(path: str, data: dict, worst: float = 0.03):
    """{row number: bounds [n, 2] in the sample array}, without the worst-scored rows.

    `data` is the loaded manifest; rows must be the same ones in the same order as when aligned.
    """
    with np.load(path) as stored:
        rows, counts, bounds, score = (stored[k] for k in ("rows", "counts", "bounds", "score"))
    limit = np.quantile(score, worst)
    ends = np.cumsum(counts)
    return {int(i): bounds[e - c:e] + data["rows"][i]["at"]
            for i, c, e, s in zip(rows, counts, ends, score) if s >= limit}


if __name__ == "__main__":
    main()
