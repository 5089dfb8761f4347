"""Which training speakers are kept aside, and the trials made of them.

400 speakers are never trained: they choose between models, calibrate scores and give the
cohort. They are drawn with a fixed seed, each group of corpus and language giving a share
in proportion to its speakers, only speakers with at least two units (see `units`).

    python speaker_split.py --pack cache/train --out heldout-speakers.txt
"""
import argparse
from dataclasses import dataclass

import numpy as np

from data import SAMPLE_RATE, Pack, load_pack


def group_of(corpus: str, lang: str) -> str:
    """Corpus and coarse language, "common-voice/zh"."""
    coarse = "zh" if lang.startswith("zh") else lang if lang in ("en", "fr") else "other"
    return f"{corpus}/{coarse}"


def units(pack: Pack, rows: np.ndarray, low: float = 2.2, high: float = 4.0) -> list[list[tuple[int, int]]]:
    """A speaker's utterances as test segments of `low` to `high` seconds.

    Short utterances (words) are joined until `low` is reached, long ones are cut after
    `high`; no utterance is in two units. Each unit is a list of (start, length) in samples.
    """
    out, current, total = [], [], 0
    for row in rows:
        length = min(int(pack.trim_length[row]), int(high * SAMPLE_RATE) - total)
        if length < 800:
            continue
        current.append((int(pack.trim_start[row]), length))
        total += length
        if total >= low * SAMPLE_RATE:
            out.append(current)
            current, total = [], 0
    return out


def speaker_rows(pack: Pack) -> dict[str, np.ndarray]:
    """Utterance numbers of each speaker, in the order of the lists."""
    order = np.argsort(pack.speaker, kind="stable")
    names, first = np.unique(pack.speaker[order], return_index=True)
    return {str(n): np.sort(r) for n, r in zip(names, np.split(order, first[1:]))}


def choose(pack: Pack, count: int = 400, seed: int = 20) -> list[str]:
    """Names of the speakers to keep aside, sorted."""
    rows = speaker_rows(pack)
    groups: dict[str, list[str]] = {}
    totals: dict[str, int] = {}
    for name, r in rows.items():
        key = group_of(str(pack.corpus[r[0]]), str(pack.lang[r[0]]))
        totals[key] = totals.get(key, 0) + 1
        if len(units(pack, r)) >= 2:
            groups.setdefault(key, []).append(name)
    rng = np.random.default_rng(seed)
    share = {k: min(len(v), max(min(4, len(v) // 3), round(count * totals[k] / len(rows)))) for k, v in groups.items()}
    while sum(share.values()) != count:
        step = 1 if sum(share.values()) < count else -1
        fit = [k for k in share if 0 < share[k] + step <= len(groups[k]) // 2] or list(share)
        key = max(fit, key=lambda k: len(groups[k]) / max(1, share[k]) * step)
        share[key] += step
    return sorted(n for k in sorted(groups) for n in rng.choice(sorted(groups[k]), share[k], replace=False))


def read_names(path: str) -> set[str]:
    with open(path, encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}


@dataclass
class Trials:
    """Segments as (start, length) pieces of the packed audio, and pairs of them.

    enrol, test: int [n]; label: 1 same speaker; group: str [n]; segments: list of pieces.
    """
    segments: list
    enrol: np.ndarray
    test: np.ndarray
    label: np.ndarray
    group: np.ndarray


def heldout_trials(pack: Pack, names: set[str], exact_language: bool = False) -> Trials:
    """Up to two enrolment and two test units a speaker; non-targets within the same group,
    or with `exact_language` of the same corpus and the very same language."""
    segments, owner, role, group = [], [], [], []
    for name, rows in speaker_rows(pack).items():
        if name not in names:
            continue
        cut = units(pack, rows)
        half = max(1, min(2, len(cut) // 2))
        corpus, lang = str(pack.corpus[rows[0]]), str(pack.lang[rows[0]])
        key = f"{corpus}/{lang}" if exact_language else group_of(corpus, lang)
        for i, unit in enumerate(cut[: 2 * half] if len(cut) >= 2 else []):
            segments.append(unit)
            owner.append(name)
            role.append(i < half)
            group.append(key)
    owner, role, group = np.array(owner), np.array(role), np.array(group)
    enrol, test = np.nonzero(role)[0], np.nonzero(~role)[0]
    a, b = np.meshgrid(enrol, test, indexing="ij")
    same_group = group[a] == group[b]
    a, b = a[same_group], b[same_group]
    return Trials(segments, a, b, (owner[a] == owner[b]).astype(np.int64), group[a])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", required=True, help="folder written by data.py")
    parser.add_argument("--out", required=True, help="file to write, one speaker id a line")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    pack = load_pack(args.pack)
    names = choose(pack, args.count, args.seed)
    with open(args.out, "w", encoding="utf-8") as file:
        file.write(f"# {len(names)} training speakers kept aside, never trained; speaker_split.py --seed {args.seed}\n")
        file.writelines(name + "\n" for name in names)
    trials = heldout_trials(pack, set(names))
    for key in sorted(set(trials.group)):
        pick = trials.group == key
        print(f"{key}: {int(trials.label[pick].sum())} target, {int((1 - trials.label[pick]).sum())} nontarget")


if __name__ == "__main__":
    main()
