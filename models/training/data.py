"""Lists of speech, decoded once into one flat file of int16 samples.

A list is a TSV with a header: speaker, file, start_sample, samples, corpus, lang, session,
text (a list without start_sample/samples, such as one of isolated digits, means whole files).

    pack(speech, ["train.tsv", "zh-text.tsv"], "cache/train")   # decode, once
    data = load_pack("cache/train")                             # Pack, memory-mapped
    data.audio[data.start[i] : data.start[i] + data.length[i]]  # utterance i, int16, 8 kHz

All positions and lengths are in samples at 8 kHz. `python data.py --speech DIR --out DIR
--list train.tsv --list zh-text.tsv` packs from the command line.
"""
import argparse
import csv
import multiprocessing
import os
from dataclasses import dataclass

import numpy as np

from common import Progress

SAMPLE_RATE = 8000


def read_list(path: str) -> list[dict]:
    """Rows of a TSV with header as dicts (no quoting: text holds quotation marks)."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_audio(path: str) -> np.ndarray:
    """A whole 8 kHz mono file (Ogg Opus, FLAC, WAV) as int16 [N]."""
    import soundfile
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path}: {rate} Hz, wanted {SAMPLE_RATE}")
    return samples[:, 0].copy()


def voiced_span(samples: np.ndarray, margin: int = 800, below_db: float = 32.0) -> tuple[int, int]:
    """(start, length) without the silence at both ends, by frame energy.

    Frames of 20 ms count as speech when within `below_db` of the 95th percentile; `margin`
    samples are kept on both sides. A signal without contrast is kept whole.
    """
    frame = 160
    count = len(samples) // frame
    if count < 5:
        return 0, len(samples)
    x = samples[: count * frame].astype(np.float32).reshape(count, frame)
    energy = 10 * np.log10(x.var(axis=1) + 1.0)
    speech = np.nonzero(energy > np.percentile(energy, 95) - below_db)[0]
    first = max(0, int(speech[0]) * frame - margin)
    last = min(len(samples), (int(speech[-1]) + 1) * frame + margin)
    return first, last - first


@dataclass
class Pack:
    """`audio` int16 [total]; the other fields are arrays with one entry per utterance."""
    audio: np.ndarray
    start: np.ndarray        # int64, first sample in `audio`
    length: np.ndarray       # int64, samples
    trim_start: np.ndarray   # int64, first sample after the leading silence (absolute)
    trim_length: np.ndarray  # int64, samples without the silence at the ends
    speaker: np.ndarray      # str
    corpus: np.ndarray       # str
    lang: np.ndarray         # str
    source: np.ndarray       # str, the list an utterance is from
    text: np.ndarray         # str, may be ""


def _decode(task):
    path, spans = task
    samples = read_audio(path)
    out = []
    for start, length in spans:
        piece = samples[start: start + length] if length else samples
        out.append((piece, *voiced_span(piece)))
    return out


def pack(speech: str, lists: list[str], out: str, workers: int = 0, only=None) -> None:
    """Decode lists into OUT/audio.i16 and OUT/table.npz. `only(row)` may leave rows out."""
    rows = []
    for name in lists:
        base = os.path.dirname(name)
        for row in read_list(os.path.join(speech, name)):
            row["source"] = name
            row["path"] = os.path.join(speech, row["file"])
            if not os.path.exists(row["path"]):
                row["path"] = os.path.join(speech, base, row["file"])
            if only is None or only(row):
                rows.append(row)
    order: dict[str, list[dict]] = {}
    for row in rows:
        order.setdefault(row["path"], []).append(row)
    tasks = [(p, [(int(r.get("start_sample") or 0), int(r.get("samples") or 0)) for r in rs])
             for p, rs in order.items()]
    flat = [r for rs in order.values() for r in rs]
    os.makedirs(out, exist_ok=True)
    fields = {k: [] for k in ("start", "length", "trim_start", "trim_length")}
    position, done = 0, 0
    bar = Progress("decode", len(tasks))
    workers = workers or len(os.sched_getaffinity(0))
    with multiprocessing.Pool(workers) as pool, open(os.path.join(out, "audio.i16.part"), "wb") as file:
        for pieces in pool.imap(_decode, tasks, chunksize=16):
            for piece, first, span in pieces:
                piece.astype("<i2").tofile(file)
                fields["start"].append(position)
                fields["length"].append(len(piece))
                fields["trim_start"].append(position + first)
                fields["trim_length"].append(span)
                position += len(piece)
            done += 1
            bar.update(done)
    os.replace(os.path.join(out, "audio.i16.part"), os.path.join(out, "audio.i16"))
    table = {k: np.array(v, dtype=np.int64) for k, v in fields.items()}
    for key in ("speaker", "corpus", "lang", "source", "text"):
        table[key] = np.array([r.get(key) or "" for r in flat])
    np.savez(os.path.join(out, "table.npz"), **table)


def load_pack(path: str) -> Pack:
    """Open a folder written by `pack`; the audio is memory-mapped."""
    with np.load(os.path.join(path, "table.npz")) as table:
        fields = {k: table[k] for k in table.files}
    audio = np.memmap(os.path.join(path, "audio.i16"), dtype="<i2", mode="r")
    return Pack(audio=audio, **fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--speech", required=True, help="folder with train.tsv and the audio")
    parser.add_argument("--list", action="append", required=True, help="a TSV in that folder, may repeat")
    parser.add_argument("--out", required=True, help="folder to write")
    parser.add_argument("--workers", type=int, default=0, help="processes (0: one per core)")
    args = parser.parse_args()
    pack(args.speech, args.list, args.out, args.workers)


if __name__ == "__main__":
    main()
