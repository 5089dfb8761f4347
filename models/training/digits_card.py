"""Step 9: the card of the digit model, which is all the service reads beside the ONNX file.

    python digits_card.py --checkpoint checkpoints/digits.pt --onnx ../digits-8k/model.onnx
        --plain results.json --phone results-phone.json --out ../digits-8k/card.json

`--plain` and `--phone` are what digits_eval.py wrote.
A language's verdict is `supported` when every list of really spoken strings reaches the target
(right accepted at least 97 %, wrong at most 0.1 %, plain and over the line), else `experimental`.
"""
import argparse
import hashlib
import json
import os

import digits_model
import digits_units as du
import features
from common import write_json

RIGHT, WRONG = 0.97, 0.001
FRONT_END = {
    "kind": "kaldi-fbank", "sampleRateHz": features.SAMPLE_RATE, "frameLengthMs": 25,
    "frameShiftMs": 10, "window": "povey", "preEmphasis": 0.97, "removeDcOffset": True,
    "snipEdges": False, "melBins": features.MELS, "lowHz": 20, "highHz": 3600, "sampleScale": 1,
    "energyFloor": 1.1920929e-7, "normalisation": "global-mean"}
TRAINED_ON = [
    ("Mozilla Common Voice (zh-CN sentences)", "CC0-1.0", 216),
    ("audio-cmn syllables (voice: Chen Wang)", "CC-BY-SA-3.0", 1),
    ("Mandarin digits of a student project (ZeroHour)", "MIT", 1),
    ("Google Speech Commands (subset)", "CC-BY-4.0", 1045),
    ("CMU AN4", "free for any purpose, BSD-like", 75),
    ("Free Spoken Digit Dataset", "CC-BY-SA-4.0", 4)]


def measured(results, channel):
    """Counts per list, as digits_eval.py found them."""
    out = []
    for name, r in results["lists"].items():
        row = {"list": name, "language": language_of(name), "channel": channel,
               "files": r["files"], "digitErrorPercent": round(100 * r["digitErrorRate"], 2)}
        for key in ("right", "near", "wrong"):
            row[key + "Accepted"], row[key] = r[key + "Accepted"]["accepted"], r[key + "Accepted"]["n"]
        out.append(row)
    return out


def language_of(name):
    return "en" if "en" in name.split("-") else "zh"


def reached(results, lang):
    """Every list of the language at the target."""
    mine = [r for n, r in results["lists"].items() if language_of(n) == lang]
    return all(r["rightAccepted"]["rate"] >= RIGHT and r["wrongAccepted"]["rate"] <= WRONG
               for r in mine) and bool(mine)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("checkpoint", "onnx", "plain", "phone", "out"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    _, state = digits_model.load_checkpoint(args.checkpoint)
    units = state["units"]
    files = {}
    for key in ("plain", "phone"):
        with open(getattr(args, key), encoding="utf-8") as file:
            files[key] = json.load(file)
    with open(args.onnx, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    languages = {}
    for lang, digits in du.LEXICON.items():
        scoring, threshold = state["scoring"][lang], state["thresholds"][lang]
        languages[lang] = {
            "status": "supported" if all(reached(files[k], lang) for k in files)
                      else "experimental",
            "digitUnits": [[u for u in digits[str(d)] if u in units] for d in range(10)],
            "unitPrefix": lang + ":", "temperature": scoring["temperature"],
            "blankWeight": scoring["blank"], "fillerWeight": scoring["filler"],
            "floor": scoring["floor"], "matchLlr": threshold["match"],
            "nearMissLlr": threshold["near"],
            "rivalMargin": threshold["margin"], "calibration": state["calibration"][lang]}
    write_json({
        "id": "digits-8k", "file": os.path.basename(args.onnx), "sha256": digest,
        "frontEnd": FRONT_END,
        "input": {"name": "feats", "layout": "time-bins", "lengthName": None},
        "outputName": "logp", "frameSamples": digits_model.FRAME_SAMPLES,
        "firstFrameCentreSample": 40, "shortestSeconds": 0.3, "units": units,
        "languages": languages,
        "licence": {"spdx": "CC-BY-SA-4.0", "attribution": "Voicegate contributors: digit model "
                    "digits-8k, trained by the project on the corpora listed in trainedOn"},
        "trainedOn": [{"corpus": c, "licence": l, "speakers": s} for c, l, s in TRAINED_ON],
        "measured": {
            "conditions": "Wrong: the list's wrong strings and 200 random strings a file, two "
                          "digits or more differ. Speakers of no training file, one session "
                          "each. phone: 300-3400 Hz and A-law, simulated. Target: right "
                          f"accepted at least {100 * RIGHT:g} %, wrong at most {100 * WRONG:g} %.",
            "lists": measured(files["plain"], "plain") + measured(files["phone"], "phone")},
        "golden": {"signal": "sweeps-and-bursts", "file": "golden.json",
                   "largestDifference": 0.02},
        "notes": [
            "logp [1, ceil(T / 3), units]: natural-log posteriors; row t is centred on sample "
            "240 t + 40 of the input.",
            "Trained on digit strings synthesised with espeak-ng and flite as well, evaluated on "
            "none of them.",
            "Scoring, spans and verdicts: models/training/digits_score.py."]}, args.out)


if __name__ == "__main__":
    main()
