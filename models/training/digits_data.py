"""Step 1 and 2: the list of training utterances with their units, and one sample array.

    python digits_data.py manifest --speech DIR --out manifest.json
    python digits_data.py decode --manifest manifest.json --speech DIR [--extra DIR] --out audio.npy

`manifest.json`
    units   unit names, index = CTC class (0 is the blank)
    phones  names of the alignment units (0 is the blank)
    files   audio files, relative to the speech folder (or the folder of synthesised speech)
    rows    one per utterance: spk, file (index), start and len (samples, 8 kHz), lang, kind,
            units [n], tones [n] (0 where there is none), phones (list of n lists), held
            (speaker kept aside: never trained, used to choose and to set thresholds)
`audio.npy` int16 [total samples] and `audio.npy.json`, the offset of each file in it.
"""
import argparse
import collections
import csv
import json
import multiprocessing
import os
import zlib

import numpy as np

import digits_units as du

HELD_PERCENT = {"zh": 8, "en": 10}
MIN_WORD_COUNT = 10


def read_tsv(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def is_held(speaker: str, lang: str) -> bool:
    """Deterministic choice of the speakers kept aside."""
    return zlib.crc32(("digits" + speaker).encode()) % 100 < HELD_PERCENT[lang]


def zh_row(row, syllables):
    return {"lang": "zh", "words": [s for s, _ in syllables], "tones": [t for _, t in syllables],
            "spk": row["speaker"], "path": row["file"], "start": int(row["start_sample"]),
            "len": int(row["samples"])}


def collect(speech: str, own: str | None, synth: str | None):
    """All rows with text; words are not yet mapped to unit numbers."""
    rows = []
    listed = [(r, "sentence") for p in ("train.tsv", "zh-text.tsv") for r in
              read_tsv(os.path.join(speech, p))]
    for r, kind in listed:
        if not r["text"]:
            continue
        if r["lang"] == "zh-CN":
            syllables = du.chinese_syllables(r["text"])
            if syllables:
                rows.append(dict(zh_row(r, syllables), kind=kind))
        elif r["lang"] == "en":
            words = du.english_words(r["text"])
            if all(du.english_phones(w) for w in words) or r["corpus"] == "an4":
                rows.append({"lang": "en", "words": words, "spk": r["speaker"],
                             "path": r["file"], "start": int(r["start_sample"]),
                             "len": int(r["samples"]),
                             "kind": "word" if len(words) == 1 else "sentence"})
    for r in read_tsv(os.path.join(speech, "zh-syllables.tsv")):
        rows.append(dict(zh_row(r, [(r["text"][:-1], int(r["text"][-1]))]), kind="syllable"))
    names = {"zh": {d: u[0][3:] for d, u in du.LEXICON["zh"].items()},
             "en": {d: u[0][3:] for d, u in du.LEXICON["en"].items()}}
    for r in read_tsv(os.path.join(speech, "digits", "digits.tsv")):
        word = names[r["lang"]][r["digit"]]
        rows.append({"lang": r["lang"], "words": [word],
                     "tones": [du.TONES.get(word, 0)], "spk": r["speaker"], "kind": "word",
                     "path": "digits/" + r["file"], "start": 0, "len": -1})
    if synth:
        for r in read_tsv(os.path.join(synth, "synth.tsv")):
            words = r["text"].split()
            rows.append({"lang": r["lang"], "words": words,
                         "tones": [du.TONES.get(w, 0) for w in words], "spk": r["speaker"],
                         "kind": "synth", "path": r["file"], "start": 0, "len": -1})
    if own:
        for r in read_tsv(os.path.join(own, "list.tsv")):
            rows.append(own_row(r))
    return rows


def own_row(r):
    """A row of an operator's own recordings: columns file, speaker, lang, text.

    `text` is digits ("8 3 1" or "831"; a Mandarin 1 said yāo may be written y), Chinese
    characters, or English words.
    """
    text, lang = r["text"].strip(), r["lang"]
    if all(c in "0123456789y " for c in text) and any(c.isdigit() for c in text):
        words = ["yao" if c == "y" else du.LEXICON[lang][c][0][3:] for c in text if c != " "]
        tones = [du.TONES.get(w, 0) for w in words]
    elif lang == "zh":
        pairs = du.chinese_syllables(text)
        if not pairs:
            raise SystemExit(f"no pinyin for the text of {r['file']}")
        words, tones = [p[0] for p in pairs], [p[1] for p in pairs]
    else:
        words, tones = du.english_words(text), []
    return {"lang": lang, "words": words, "tones": tones, "spk": "own:" + r["speaker"],
            "path": r["file"], "start": 0, "len": -1, "kind": "own"}


def number(rows, fixed=None):
    """Gives every row its unit and phone numbers; returns (units, phones).

    `fixed`: a manifest whose units and phones are kept; rows with a Mandarin syllable that
    it does not have are left out (rare English words become en:*).
    """
    zh = sorted({w for r in rows if r["lang"] == "zh" for w in r["words"]})
    counts = collections.Counter(w for r in rows if r["lang"] == "en" for w in r["words"])
    en = sorted(w for w, n in counts.items() if n >= MIN_WORD_COUNT and du.english_phones(w))
    units = [du.BLANK] + ["zh:" + s for s in zh] + ["en:" + w for w in en] + ["en:*"]
    if fixed:
        units = fixed["units"]
        rows[:] = [r for r in rows if r["lang"] != "zh"
                   or all("zh:" + w in units for w in r["words"])]
    index = {u: i for i, u in enumerate(units)}
    phones = fixed["phones"] if fixed else [du.BLANK] + sorted(
        {"zh:" + p for s in zh for p in du.split_syllable(s)}
        | {"en:" + p for w in counts for p in du.english_phones(w)} | {"en:*"})
    phone_index = {p: i for i, p in enumerate(phones)}
    for r in rows:
        if r["lang"] == "zh":
            r["units"] = [index["zh:" + w] for w in r["words"]]
            r["phones"] = [[phone_index["zh:" + p] for p in du.split_syllable(w)]
                           for w in r["words"]]
        else:
            r["units"] = [index.get("en:" + w, index["en:*"]) for w in r["words"]]
            r["phones"] = [[phone_index.get("en:" + p, phone_index["en:*"])
                            for p in du.english_phones(w) or ["*"]]
                           for w in r["words"]]
        r["tones"] = r.get("tones") or [0] * len(r["units"])
        r["held"] = r["kind"] not in ("synth", "syllable", "own") and is_held(r["spk"], r["lang"])
    return units, phones


def manifest(args):
    rows = collect(args.speech, args.own, args.synth)
    fixed = None
    if args.units:
        with open(args.units, encoding="utf-8") as file:
            fixed = json.load(file)
    units, phones = number(rows, fixed)
    files = sorted({r["path"] for r in rows})
    where = {f: i for i, f in enumerate(files)}
    for r in rows:
        r["file"] = where[r.pop("path")]
        del r["words"]
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump({"units": units, "phones": phones, "files": files, "rows": rows}, file,
                  ensure_ascii=False, separators=(",", ":"))
    hours = collections.Counter()
    for r in rows:
        hours[r["lang"], r["kind"], r["held"]] += max(r["len"], 4000) / 8000 / 3600
    print(f"{len(rows)} rows, {len(files)} files, {len(units)} units, {len(phones)} phones")
    for key, value in sorted(hours.items()):
        print(*key, f"{value:.2f} h")


def read_audio(path: str) -> np.ndarray:
    """Mono int16 samples at 8 kHz."""
    import soundfile

    data, rate = soundfile.read(path, dtype="int16", always_2d=True)
    if rate != 8000:
        # Ogg Opus is decoded at 48 kHz by some libraries; polyphase to 8 kHz.
        from scipy.signal import resample_poly
        mono = data.mean(axis=1)
        data = resample_poly(mono, 8000, rate)
        return np.clip(np.round(data), -32768, 32767).astype(np.int16)
    return data[:, 0]


def _read(job):
    for folder in job[0]:
        path = os.path.join(folder, job[1])
        if os.path.exists(path):
            return read_audio(path)
    return None


def decode(args):
    with open(args.manifest, encoding="utf-8") as file:
        files = json.load(file)["files"]
    folders = [args.speech] + args.extra
    present = [i for i, f in enumerate(files)
               if any(os.path.exists(os.path.join(d, f)) for d in folders)]
    jobs = [(folders, files[i]) for i in present]
    offsets, parts, total = [-1] * len(files), [], 0
    if args.jobs > 1:
        pool = multiprocessing.Pool(args.jobs)
        stream = pool.imap(_read, jobs, chunksize=8)
    else:
        stream = map(_read, jobs)
    lengths = [0] * len(files)
    for count, (i, data) in enumerate(zip(present, stream)):
        offsets[i], lengths[i] = total, len(data)
        parts.append(data)
        total += len(data)
        if count % 500 == 0:
            print(f"\rdecoded {count}/{len(jobs)}", end="", flush=True)
    np.save(args.out, np.concatenate(parts))
    with open(args.out + ".json", "w", encoding="utf-8") as file:
        json.dump({"offsets": offsets, "lengths": lengths}, file)
    print(f"\rdecoded {len(jobs)} of {len(files)} files, {total / 8000 / 3600:.2f} h")


def load(manifest_path: str, audio_path: str, limit: int = 0):
    """(manifest, audio int16 [N]); rows get `at`, their first sample in the array."""
    with open(manifest_path, encoding="utf-8") as file:
        data = json.load(file)
    with open(audio_path + ".json", encoding="utf-8") as file:
        place = json.load(file)
    rows = []
    for r in data["rows"]:
        if place["offsets"][r["file"]] < 0:
            continue
        if r["len"] < 0:
            r["len"] = place["lengths"][r["file"]]
        r["len"] = min(r["len"], place["lengths"][r["file"]] - r["start"])
        r["at"] = place["offsets"][r["file"]] + r["start"]
        if r["len"] > 800:
            rows.append(r)
    data["rows"] = rows[:: max(1, len(rows) // limit)] if limit else rows
    return data, np.load(audio_path, mmap_mode="r")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sub = parser.add_subparsers(dest="step", required=True)
    p = sub.add_parser("manifest")
    p.add_argument("--speech", required=True, help="folder with train.tsv, zh-text.tsv, …")
    p.add_argument("--own", help="folder of own recordings with list.tsv (file speaker lang text)")
    p.add_argument("--units", help="manifest of the model to fine-tune: keep its units")
    p.add_argument("--synth", help="folder of synthesised strings with synth.tsv")
    p.add_argument("--out", required=True)
    p = sub.add_parser("decode")
    p.add_argument("--manifest", required=True)
    p.add_argument("--speech", required=True)
    p.add_argument("--extra", action="append", default=[], help="further folders to look in")
    p.add_argument("--out", required=True)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    {"manifest": manifest, "decode": decode}[args.step](args)


if __name__ == "__main__":
    main()
