"""Step 7: temperature and thresholds, from the speakers kept aside (never a dev list).

    python digits_calibrate.py --manifest m.json --audio audio.npy --cuts cuts.npz
                               --checkpoint digits.pt --out digits.pt --json calibration.json

Strings of 6 to 8 digits are joined from the digits of kept-aside speakers, English ones also
taken from connected real digit strings of kept-aside AN4 speakers, and sent through the
telephone chain.  The temperature and the weights of blank and filler minimise the mean negative LLR of the string
spoken; the `match` threshold of a language is the lowest LLR at which at most `--wrong` of the random wrong strings
(two digits or more) passes.
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
from common import Progress, save_atomic, write_json
from digits_eval import random_wrong
from digits_train import distance

TEMPERATURES = (1.0, 1.25, 1.5)
BLANKS = (0.0, -1.0, -2.0, -3.0, -4.0)
FILLERS = (-4.0, -7.0)
CARRIER = 0.15            # part of the strings with a few other syllables before or after


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("manifest", "audio", "cuts", "checkpoint", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--json")
    parser.add_argument("--strings", type=int, default=300, help="per language")
    parser.add_argument("--wrong", type=float, default=2e-4)
    args = parser.parse_args()
    torch.manual_seed(11)
    torch.set_num_threads(1)
    import digits_align

    data, audio = digits_data.load(args.manifest, args.audio)
    cuts = digits_align.load_cuts(args.cuts, data)
    audio = np.asarray(audio)
    net, state = digits_model.load_checkpoint(args.checkpoint)
    pipeline = digits_batch.Pipeline(torch.from_numpy(audio), 1.0)
    # One example at a time: babble would be the same voice again, so keep it inaudible.
    pipeline.chain.babble_snr = (45.0, 50.0)
    rng, wrong_rng = np.random.default_rng(3), random.Random(4)
    logits = {}
    for lang in ("zh", "en"):
        logits[lang] = []
        progress = Progress("calibrate " + lang, args.strings)
        for k, (batch, spoken) in enumerate(examples(data, audio, cuts, lang, args.strings, rng)):
            with torch.no_grad():
                logits[lang].append((net(pipeline(batch, spec=False))[0][0].double(), spoken))
            progress.update(k + 1)

    def collapsed(lang, temperature, blank, filler):
        for x, spoken in logits[lang]:
            logp = torch.log_softmax(x / temperature, dim=1).numpy()
            yield digits_score.collapse(logp, data["units"], lang, du.LEXICON[lang],
                                        blank=blank, filler=filler), spoken

    # One temperature for the model (it is inside the ONNX file), weights for each language.
    weights = [(b, f) for b in BLANKS for f in FILLERS]
    costs = {}
    for temperature in TEMPERATURES:
        for lang in logits:
            for w in weights:
                costs[temperature, lang, w] = float(np.mean(
                    [-max(digits_score.llr(c, s), -60.0) / len(s)
                     for c, s in collapsed(lang, temperature, *w)]))
    temperature = min(TEMPERATURES, key=lambda t: sum(
        min(costs[t, lang, w] for w in weights) for lang in logits))
    scoring, thresholds, figures = {}, {}, {}
    for lang in logits:
        blank, filler = min(weights, key=lambda w: costs[temperature, lang, w])
        scoring[lang] = {"blank": blank, "filler": filler}
        right, wrong, errors, digits = [], [], 0, 0
        for c, spoken in collapsed(lang, temperature, blank, filler):
            total = digits_score.total(c)
            right.append(digits_score.forward(c, [spoken])[0] - total)
            wrong.extend(digits_score.forward(c, random_wrong(wrong_rng, spoken, 200)) - total)
            errors += distance(digits_score.decode(c, 4)[0], spoken)
            digits += len(spoken)
        threshold = round(min(-2.0, float(np.quantile(wrong, 1 - args.wrong))), 2)
        thresholds[lang] = {"match": threshold, "near": threshold}
        figures[lang] = {"strings": len(right), "threshold": threshold, "blank": blank,
                         "filler": filler,
                         "costPerDigit": round(costs[temperature, lang, (blank, filler)], 4),
                         "digitErrorRate": errors / digits,
                         "rightAccepted": float(np.mean(np.array(right) >= threshold)),
                         "wrongAccepted": float(np.mean(np.array(wrong) >= threshold)),
                         "right1Percent": float(np.quantile(right, 0.01)),
                         "right3Percent": float(np.quantile(right, 0.03))}
    print("temperature", temperature)
    print(figures)
    state.update(temperature=temperature, thresholds=thresholds, scoring=scoring)
    save_atomic(state, args.out)
    if args.json:
        write_json({"temperature": temperature, "languages": figures},
                   args.json)


if __name__ == "__main__":
    main()
