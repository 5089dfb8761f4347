"""Step 7: thresholds and the phrase's LLR, from the speakers kept aside (never a dev list).

    python digits_calibrate.py --manifest m.json --audio audio.npy --cuts cuts.npz
                               --checkpoint digits.pt --out digits.pt --json calibration.json

Strings of 6 to 8 digits are joined from the digits of kept-aside speakers, English ones also
taken from connected real digit strings of kept-aside AN4 speakers, and sent through the
telephone chain.  Per language: the `match` threshold is the lowest LLR at which at most `--wrong` of 200 random wrong
strings a string (two digits or more differ) pass; the margin is the smallest that costs next to no right string;
`calibration` turns the LLR into a natural log-likelihood ratio of "this string" against
"another string" by logistic regression at prior 1/2, kept within what so many trials can show.
"""
import argparse
import random

import numpy as np
import torch

import digits_batch
import digits_data
import digits_model
import digits_score
import digits_units as du
from common import Progress, half, save_atomic, write_json
from digits_eval import random_wrong
from digits_score import WEIGHTS
from digits_train import distance

MARGINS = (7.0, 8.0, 9.0, 10.0, 12.0)
MARGIN_COST = 0.005       # right strings that the margin may cost
CARRIER = 0.05            # part of the strings with a few other syllables before or after


def digit_of(units):
    """{unit number: digit} of both languages."""
    names = {u: d for lex in du.LEXICON.values() for d, us in lex.items() for u in us}
    return {i: names[u] for i, u in enumerate(units) if u in names}


def examples(data, audio, cuts, lang, count, rng):
    """Batches of one example each, and the digits spoken."""
    composer = digits_batch.Composer(data, audio, cuts, held=True,
                                     shares={lang + "digits": 1.0})
    digits = digit_of(data["units"])
    out = []
    real = [r for r in composer.rows if r["kind"] == "sentence" and r["lang"] == lang
            and len(r["units"]) >= 4 and all(u in digits for u in r["units"])]
    while len(out) < count:
        if real and rng.random() < 0.4:
            r = real[int(rng.integers(len(real)))]
            room = r["len"] + int(rng.integers(800, 6000))
            gain = 0.08 / composer.level(r["at"], r["len"])
            pieces = [[r["at"], r["len"], rng.uniform(0, room - r["len"]), 1.0, gain, 160, 160]]
            units, warp = r["units"], 1.0
        else:
            wanted = [int(d) for d in rng.integers(0, 10, int(rng.integers(6, 9)))]
            made = composer.string(rng, lang, 80000, wanted, carrier=CARRIER)
            if made is None:
                continue
            pieces, units, _ = made
            units = [u for u in units if u in digits]
            if len(units) < 4:
                continue
            warp = float(rng.uniform(0.9, 1.25))
            room = max(p[2] + p[1] / p[3] for p in pieces) + rng.uniform(300, 4000)
        p = np.array(pieces)[None]
        out.append(({"pieces": torch.from_numpy(p), "warp": torch.tensor([warp]),
                     "seconds": room / 8000 / warp}, "".join(digits[u] for u in units)))
    return out


def logistic(right, wrong, rounds=50):
    """(scale, offset) of the affine map of scores that minimises Cllr (Newton's method, prior 1/2)."""
    x = np.concatenate([right, wrong])
    y = np.r_[np.ones(len(right)), np.zeros(len(wrong))]
    weight = np.r_[np.full(len(right), 0.5 / len(right)), np.full(len(wrong), 0.5 / len(wrong))]
    middle, spread = x.mean(), x.std()
    design = np.stack([(x - middle) / spread, np.ones_like(x)], axis=1)
    w = np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(design @ w, -40, 40)))
        gradient = design.T @ (weight * (p - y)) + 1e-6 * w
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        w -= step * min(1.0, 3.0 / np.abs(step).max())
    return w[0] / spread, w[1] - w[0] * middle / spread


class Trials:
    """Kept-aside strings of one language as log-posteriors; scored under any weights."""

    def __init__(self, items, units, lang, seed=4):
        self.items, self.units, self.lang = items, units, lang
        rng = random.Random(seed)
        self.wrong = [random_wrong(rng, spoken, 200) for _, spoken in items]

    def scores(self):
        """(LLR of each right string, LLRs of the wrong ones, collapsed rows)."""
        right, wrong, rows = [], [], []
        for (logp, spoken), others in zip(self.items, self.wrong):
            c = digits_score.collapse(logp, self.units, self.lang, du.LEXICON[self.lang], **WEIGHTS)
            values = digits_score.forward(c, [spoken] + others)
            right.append(values[0]), wrong.extend(values[1:]), rows.append(c)
        return np.array(right), np.array(wrong), rows

    def rules(self, right, wrong, rows, rate):
        """(thresholds, rates): the least LLR of a match, and the smallest margin that costs few right strings."""
        match = round(min(-2.0, float(np.quantile(wrong, 1 - rate))), 2)
        spoken = [s for _, s in self.items]
        rng = random.Random(6)

        def ahead(c, strings):
            """How much more probable the neighbours are, inf where the LLR is below `match`."""
            values = digits_score.forward(c, strings) - digits_score.total(c)
            return [digits_score.neighbours(c, s) - v if v >= match else np.inf
                    for s, v in zip(strings, values)]

        mine = np.array([ahead(c, [s])[0] for c, s in zip(rows, spoken)])
        close = np.concatenate([ahead(c, rng.sample(digits_score.variants(s), 2))
                                for c, s in zip(rows, spoken)])
        lost = [np.isfinite(mine).mean() - np.mean(mine <= m) for m in MARGINS]
        margin = next((m for m, x in zip(MARGINS, lost) if x <= MARGIN_COST), 20.0)
        return ({"match": match, "near": match, "margin": margin},
                {"rightAccepted": float(np.mean(mine <= margin)),
                 "nearAccepted": float(np.mean(close <= margin)),
                 "nearAcceptedWithoutMargin": float(np.mean(np.isfinite(close))),
                 "wrongAcceptedWithoutMargin": float(np.mean(wrong >= match))})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("manifest", "audio", "cuts", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--checkpoint", required=True, action="append", help="may repeat: the mean of their weights")
    parser.add_argument("--json")
    parser.add_argument("--strings", type=int, default=1200, help="per language")
    parser.add_argument("--wrong", type=float, default=8e-4)
    args = parser.parse_args()
    torch.manual_seed(11)
    torch.set_num_threads(1)
    import digits_align

    data, audio = digits_data.load(args.manifest, args.audio)
    cuts = digits_align.load_cuts(args.cuts, data)
    audio = np.asarray(audio)
    net, state = digits_model.load_checkpoint(*args.checkpoint)
    pipeline = digits_batch.Pipeline(torch.from_numpy(audio), 1.0)
    # One example at a time: babble would be the same voice again, so keep it inaudible.
    pipeline.chain.babble_snr = (45.0, 50.0)
    rng = np.random.default_rng(3)
    scoring, thresholds, calibration, figures = {}, {}, {}, {}
    for lang in du.LEXICON:
        items, progress = [], Progress("calibrate " + lang, args.strings)
        for k, (batch, spoken) in enumerate(examples(data, audio, cuts, lang, args.strings, rng)):
            with torch.no_grad():
                logits = net(pipeline(batch, spec=False))[0][0]
            items.append((torch.log_softmax(logits, dim=1).numpy(), spoken))
            progress.update(k + 1)
        trials = Trials(items, data["units"], lang)
        right, wrong, rows = trials.scores()
        rules, near = trials.rules(right, wrong, rows, args.wrong)
        scale, offset = logistic(right, wrong)
        most, least = np.log(len(right)), -np.log(len(wrong))
        errors = [(distance(digits_score.decode(c, 4)[0], s), len(s)) for c, (_, s) in zip(rows, items)]
        scoring[lang], thresholds[lang] = WEIGHTS, rules
        calibration[lang] = {
            "scale": round(float(scale), 5), "offset": round(float(offset), 4),
            "leastLlr": round(float(least), 2), "mostLlr": round(float(most), 2),
            "fittedOn": f"{len(right)} joined strings of speakers kept aside, through the "
                        f"simulated telephone chain, against {len(wrong)} random other strings "
                        "(two digits or more differ)"}
        llr = np.clip(scale * np.r_[right, wrong] + offset, least, most)
        cost = np.log2(1 + np.exp(np.where(np.arange(len(llr)) < len(right), -llr, llr)))
        figures[lang] = {"strings": len(right), **rules, **WEIGHTS,
                         "digitErrorRate": sum(e for e, _ in errors) / sum(n for _, n in errors),
                         **near, "cllr": float((cost[:len(right)].mean() + cost[len(right):].mean()) / 2),
                         "calibration": calibration[lang]}
        print(lang, figures[lang])
    state["model"] = half(state["model"])
    state.update(thresholds=thresholds, scoring=scoring, calibration=calibration)
    save_atomic(state, args.out)
    if args.json:
        write_json({"languages": figures}, args.json)


if __name__ == "__main__":
    main()
