"""Step 8: how well is the right phrase told from a wrong one?  Evaluation lists only.

    python digits_eval.py --model digits.onnx --list DIR [--list DIR …] --json results.json

A list is a folder with `phrases.tsv` (file, speaker, spoken, expected, label right / near /
wrong) or `texts.tsv` (file, digits).  Beside the rows given, every file is asked for 200
random wrong strings of the spoken length in which at least two digits differ.  The language is
taken from the folder's name (`en`, else `zh`) or `--lang`.  Rates are fractions with
Wilson's 95 % interval.  `--channel phone` sends each file through 300-3400 Hz and G.711 first.
"""
import argparse
import json
import math
import os
import random

import numpy as np
import torch

import augment
import digits_score
import digits_units as du
import features
from common import Progress, write_json
from digits_data import read_audio, read_tsv
from digits_train import distance


class Recogniser:
    """The ONNX file, one thread: samples float32 [N] -> log-posteriors [T', units]."""

    def __init__(self, path: str, threads: int = 1):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options,
                                                    providers=["CPUExecutionProvider"])
        meta = self.session.get_modelmeta().custom_metadata_map
        self.units = json.loads(meta["units"])
        self.lexicon = json.loads(meta["lexicon"])
        self.scoring = json.loads(meta.get("scoring", "{}"))
        self.thresholds = json.loads(meta.get("thresholds", "{}"))
        self.fbank = features.Fbank()

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        feats = features.normalise(self.fbank(torch.from_numpy(samples)[None])).numpy()
        return self.session.run(None, {"feats": feats})[0][0]


def wilson(hits: int, count: int, z: float = 1.96):
    """Wilson's interval of a rate."""
    if count == 0:
        return [0.0, 1.0]
    p = hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return [max(0.0, middle - half), min(1.0, middle + half)]


def random_wrong(rng: random.Random, spoken: str, count: int) -> list[str]:
    """Random strings of the same length, at least two digits differ."""
    out = []
    while len(out) < count:
        s = "".join(rng.choice("0123456789") for _ in spoken)
        if sum(a != b for a, b in zip(s, spoken)) >= 2:
            out.append(s)
    return out


def phone(samples: np.ndarray) -> np.ndarray:
    """A plain telephone line: 300-3400 Hz and G.711 A-law."""
    x = torch.from_numpy(samples)[None]
    f = torch.linspace(0, 4000, 81)
    gain = -40.0 * ((300 - f).clamp(min=0) / 150 + (f - 3400).clamp(min=0) / 200)
    return augment.a_law(augment.spectral_gain(x, gain[None].clamp(min=-60)))[0].numpy()


def posteriors(model, folder, lang, channel=None):
    """{file: collapsed log-posteriors [T', 11]} and the list's rows."""
    named = os.path.join(folder, "phrases.tsv")
    if os.path.exists(named):
        rows = read_tsv(named)
    else:
        rows = [{"file": r["file"], "speaker": r["file"].split("_")[0], "spoken": r["digits"],
                 "expected": r["digits"], "label": "right"}
                for r in read_tsv(os.path.join(folder, "texts.tsv"))]
    out = {}
    for name in sorted({r["file"] for r in rows}):
        x = read_audio(os.path.join(folder, name)).astype(np.float32) / 32768
        if channel == "phone":
            x = phone(x)
        out[name] = digits_score.collapse(model(x), model.units, lang, model.lexicon[lang],
                                          **model.scoring.get(lang, {}))
    return out, rows


def accepted(c, strings, rules):
    """Which strings would be a match: (bool [strings], LLRs [strings])."""
    values = digits_score.forward(c, strings) - digits_score.total(c)
    ok = values >= rules["match"]
    for k in np.nonzero(ok)[0]:
        ok[k] = digits_score.neighbours(c, strings[k]) - values[k] <= rules["margin"]
    return ok, values


def score_list(found, rows, rules, wrong_per_file=200, seed=5):
    """Trials of one list: ({'right': [(accepted, LLR) …], 'near': …, 'wrong': …}, digit errors
    [(errors, digits)], a line of details per file)."""
    rng = random.Random(seed)
    trials = {"right": [], "near": [], "wrong": []}
    spoken = {r["file"]: r["spoken"] for r in rows}
    errors, details = [], []
    for r in rows:
        ok, values = accepted(found[r["file"]], [r["expected"]], rules)
        trials[r["label"]].append((bool(ok[0]), float(values[0])))
    for name in sorted(found):
        c = found[name]
        ok, values = accepted(c, random_wrong(rng, spoken[name], wrong_per_file), rules)
        trials["wrong"].extend(zip(ok.tolist(), values.tolist()))
        heard, confidence = digits_score.decode(c)
        errors.append((distance(heard, spoken[name]), len(spoken[name])))
        details.append((name, spoken[name], heard, round(confidence, 2),
                        round(digits_score.llr(c, spoken[name]), 2)))
    return trials, errors, details


def summary(trials, errors, rules):
    """Rates of one list."""
    def rate(key):
        hits, count = sum(ok for ok, _ in trials[key]), len(trials[key])
        return {"rate": hits / count if count else None, "n": count,
                "wilson": wilson(hits, count), "accepted": hits}
    right = [value for _, value in trials["right"]]
    digits = sum(n for _, n in errors)
    return {"rules": rules, "rightAccepted": rate("right"), "nearAccepted": rate("near"),
            "wrongAccepted": rate("wrong"),
            "digitErrorRate": sum(e for e, _ in errors) / max(1, digits), "digits": digits,
            "stringErrorRate": sum(e > 0 for e, _ in errors) / max(1, len(errors)),
            "files": len(errors),
            "llrOfRight": {"p1": float(np.percentile(right, 1)), "p3": float(np.percentile(right, 3)),
                           "median": float(np.median(right))}}


def percent(r):
    if not r["n"]:
        return "–"
    low, high = r["wilson"]
    return f"{100 * r['rate']:.2f} ({100 * low:.2f}–{100 * high:.2f}), n {r['n']}"


def table(results) -> str:
    lines = ["| list | digit error % | right accepted % | near accepted % | wrong accepted % | target |",
             "| --- | --- | --- | --- | --- | --- |"]
    for name, r in results.items():
        ok = r["rightAccepted"]["rate"] >= 0.97 and r["wrongAccepted"]["rate"] <= 0.001
        lines.append(f"| {name} | {100 * r['digitErrorRate']:.2f} | {percent(r['rightAccepted'])} "
                     f"| {percent(r['nearAccepted'])} | "
                     f"{100 * r['wrongAccepted']['rate']:.3f} "
                     f"({100 * r['wrongAccepted']['wilson'][0]:.3f}–"
                     f"{100 * r['wrongAccepted']['wilson'][1]:.3f}), n {r['wrongAccepted']['n']} "
                     f"| {'reached' if ok else 'missed'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--list", action="append", required=True)
    parser.add_argument("--lang")
    parser.add_argument("--channel", choices=["phone"])
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--details", action="store_true", help="print each file's digits")
    parser.add_argument("--json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = Recogniser(args.model)
    results = {}
    progress = Progress("evaluate", len(args.list))
    for k, folder in enumerate(args.list):
        name = os.path.basename(os.path.normpath(folder))
        lang = args.lang or ("en" if "en" in name.split("-") else "zh")
        rules = model.thresholds[lang]
        found, rows = posteriors(model, folder, lang, args.channel)
        trials, errors, details = score_list(found, rows, rules, args.random)
        results[name] = summary(trials, errors, rules)
        if args.details:
            for line in details:
                print(*line)
        progress.update(k + 1, name)
    print(table(results))
    if args.json:
        write_json({"model": os.path.basename(args.model), "channel": args.channel or "plain",
                    "lists": results}, args.json)


if __name__ == "__main__":
    main()
