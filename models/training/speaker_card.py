"""A model's folder: the ONNX file, its card and its golden embedding.

    python speaker_card.py --onnx model.onnx --id voicegate-8k-4 --out ../voicegate-8k-4 --pack cache/train \
        --heldout heldout-speakers.txt --eval eval.json --notes speaker-notes.txt

The card's figures are those of `speaker_eval.py --json` (the model whose name is the id, or --name); its
notes are the file's lines (one that begins with `int8: ` or `float: ` is only for such a model). The golden
embedding is what ONNX Runtime gives for the signal of `features.golden_signal`.
"""
import argparse
import hashlib
import json
import os
import shutil

import numpy as np
import torch

from common import write_json
from data import load_pack
from features import FLOOR, HIGH_HZ, LOW_HZ, MELS, SAMPLE_RATE, SHIFT, WINDOW, Fbank, golden_signal, normalise
from speaker_export import session
from speaker_split import read_names, speaker_rows

CORPORA = {
    "common-voice": ("Mozilla Common Voice (many languages)", "CC0-1.0"),
    "speech-commands": ("Google Speech Commands (subset)", "CC-BY-4.0"),
    "librispeech": ("LibriSpeech", "CC-BY-4.0"),
    "speechocean762": ("speechocean762", "free for commercial and non-commercial use"),
    "an4": ("CMU AN4", "free for any purpose, BSD-like, notice to be kept"),
    "arabic-speech-commands": ("Arabic Speech Commands", "CC-BY-4.0"),
    "malayalam-speech-corpus": ("Malayalam Speech Corpus (SMC)", "CC-BY-SA-3.0"),
    "emodb": ("EmoDB", "CC0-1.0"),
}

# Voices of speaker_centre.py that are in no pack: the origin of the embeddings lies where their digits do.
CENTRED_ON = (("Free Spoken Digit Dataset", "CC-BY-SA-4.0", 4),
              ("audio-cmn syllables (voice: Chen Wang)", "CC-BY-SA-3.0", 1),
              ("Mandarin digits of a student project (ZeroHour)", "MIT", 1))

CONDITIONS = ("Cosine of whole files at 8 kHz, speakers that are in no training file. Enrolment and test of nearly every "
              "speaker are of one session, and such scores flatter every system; only ivr-digits went through a real "
              "telephone line. Pooled: the cosines of all lists thrown together.")


def golden(onnx_path: str) -> dict:
    """The golden file: log-mel rows for people, the unit-length embedding for the check at start."""
    logmel = Fbank()(torch.from_numpy(golden_signal())[None])
    embedding = session(onnx_path).run(None, {"feats": normalise(logmel).numpy()})[0][0].astype(np.float64)
    row = lambda t: [round(float(v), 5) for v in logmel[0, t]]
    return {"signal": "sweeps-and-bursts", "frames": logmel.shape[1],
            "origin": "models/training/features.py in float32, ONNX Runtime on one thread",
            "logmel_before_mean_frame0": row(0), "logmel_before_mean_frame100": row(100),
            "logmel_before_mean_last": row(-1),
            "embedding_unit_length": [round(float(v), 8) for v in embedding / np.linalg.norm(embedding)]}


def trained_on(pack_path: str, heldout: str) -> list[dict]:
    """Speakers of each corpus that trained the model, and those that gave it its origin."""
    pack, names, count = load_pack(pack_path), read_names(heldout), {}
    for name, rows in speaker_rows(pack).items():
        if name not in names:
            key = str(pack.corpus[rows[0]])
            count[key] = count.get(key, 0) + 1
    used = [(*CORPORA[k], n) for k, n in sorted(count.items(), key=lambda item: -item[1])]
    return [{"corpus": corpus, "licence": licence, "speakers": n} for corpus, licence, n in (*used, *CENTRED_ON)]


def measured(path: str, name: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        found = json.load(file)["models"][name]
    return [{"list": k, "eerPercent": round(100 * v["eer"], 2), "minDcf": round(v["minDcf01"], 3), "asNormEerPercent": None}
            for k, v in [*found["lists"].items(), ("pooled", found["pooled"])]]


def notes_of(path: str, kind: str) -> list[str]:
    """Lines of the notes file that are meant for this kind of model ("int8" or "float")."""
    out = []
    with open(path, encoding="utf-8") as file:
        for text in (line.strip() for line in file):
            whose, found, rest = text.partition(": ")
            if text and not (found and whose in ("int8", "float")):
                out.append(text)
            elif text and whose == kind:
                out.append(rest)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--onnx", required=True)
    parser.add_argument("--id", required=True)
    parser.add_argument("--out", required=True, help="the model's folder")
    parser.add_argument("--pack", required=True)
    parser.add_argument("--heldout", required=True)
    parser.add_argument("--eval", required=True, help="speaker_eval.py --json")
    parser.add_argument("--name", help="the model's name in that file (else the id)")
    parser.add_argument("--notes", required=True)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    target = os.path.join(args.out, "model.onnx")
    shutil.copyfile(args.onnx, target)
    with open(target, "rb") as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    write_json(golden(target), os.path.join(args.out, "golden.json"))
    int8 = args.id.endswith("-int8")     # its rounding differs between processors and releases of ONNX Runtime
    dimension = session(target).get_outputs()[0].shape[1]
    write_json({
        "id": args.id, "file": "model.onnx", "sha256": sha256,
        "frontEnd": {"kind": "kaldi-fbank", "sampleRateHz": SAMPLE_RATE, "frameLengthMs": 1000 * WINDOW // SAMPLE_RATE,
                     "frameShiftMs": 1000 * SHIFT // SAMPLE_RATE, "window": "povey", "preEmphasis": 0.97,
                     "removeDcOffset": True, "snipEdges": False, "melBins": MELS, "lowHz": int(LOW_HZ),
                     "highHz": int(HIGH_HZ), "sampleScale": 1, "energyFloor": FLOOR, "normalisation": "global-mean"},
        "input": {"name": "feats", "layout": "time-bins", "lengthName": None},
        "outputName": "embs", "dimension": dimension, "shortestSeconds": 0.3,
        "licence": {"spdx": "CC-BY-SA-4.0",
                    "attribution": f"Voicegate contributors: speaker model {args.id}, trained by the project on the corpora listed in trainedOn"},
        "trainedOn": trained_on(args.pack, args.heldout),
        "measured": {"conditions": CONDITIONS, "lists": measured(args.eval, args.name or args.id)},
        "golden": {"signal": "sweeps-and-bursts", "file": "golden.json", "minimumCosine": 0.995 if int8 else 0.9999},
        "notes": notes_of(args.notes, "int8" if int8 else "float"),
    }, os.path.join(args.out, "card.json"))


if __name__ == "__main__":
    main()
