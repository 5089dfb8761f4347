"""Put the origin of a trained network's embeddings where digit strings lie; no new operation at run time.

    python speaker_centre.py --checkpoint runs/joint/final.pt --speech SPEECH --out runs/joint/centred.pt

Whoever reads digits out one by one has something in common with all others who do, and what
callers have in common lifts the cosine of all impostors. Speakers who read sentences do not show
it, so the training mean (speaker_whiten.py) leaves it in. From voices that may be trained on:
strings of 8 digits of one voice each, joined from single ones, in faint noise, from four sources
that count alike (`digits/` by corpus, and the digits among `zh-syllables`). Two sources are one
voice each: played at 0.85 to 1.15 of the speed and with a vocal tract of 0.88 to 1.12 of its
length, it stands for many. The mean embedding is subtracted, in a bias of the last layer.

Needs SPEECH/digits/digits.tsv (file, speaker, digit, lang, corpus) and SPEECH/zh-syllables.tsv.
"""
import argparse
import collections
import os

import numpy as np
import torch

from augment import add_at_snr, coloured_noise, resample, uniform
from common import Progress, save_atomic, seed_everything
from data import read_audio, read_list, voiced_span
from features import SHIFT, Fbank, frame_count, normalise
from speaker_export import load

SYLLABLES = ("ling2", "yi1", "yao1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3")
SPEEDS = ((20, 17), (1, 1), (20, 23))                # (up, down): 0.85, 1 and 1.15 of the speed
TRACT = (0.88, 1.12)
FAINT_SNR_DB = (20.0, 55.0)
MARGIN = 400                                         # samples kept around a digit: half of a pause
LENGTH = 8


def digit_voices(speech: str) -> dict[str, list[list[np.ndarray]]]:
    """{source: [one voice's single digits, int16]}, without voices of one recording only."""
    voices = collections.defaultdict(lambda: collections.defaultdict(list))

    def add(source: str, speaker: str, samples: np.ndarray) -> None:
        start, length = voiced_span(samples, MARGIN)
        voices[source][speaker].append(samples[start: start + length])

    for row in read_list(os.path.join(speech, "digits", "digits.tsv")):
        add(row["corpus"], row["speaker"], read_audio(os.path.join(speech, "digits", row["file"])))
    files = {}
    for row in read_list(os.path.join(speech, "zh-syllables.tsv")):
        if row["text"] in SYLLABLES:
            if row["file"] not in files:
                files[row["file"]] = read_audio(os.path.join(speech, row["file"]))
            start = int(row["start_sample"])
            add(row["corpus"], row["speaker"], files[row["file"]][start: start + int(row["samples"])])
    return {source: [d for d in speakers.values() if len(d) > 1] for source, speakers in voices.items()}


def string(rng, digits: list[np.ndarray]) -> torch.Tensor:
    """One string of a voice's digits, float32 [1, samples] in [-1, 1], every digit as loud as the others."""
    parts = []
    for k in rng.integers(len(digits), size=LENGTH):
        x = digits[k].astype(np.float32)
        fade = np.minimum(1, np.arange(1, len(x) + 1) / 80)
        parts.append(x * fade * fade[::-1] * 0.05 / max(1, x.std()))
    up, down = SPEEDS[rng.integers(len(SPEEDS))]
    x = resample(torch.from_numpy(np.concatenate(parts)), up, down).clamp(-1, 1)[None]
    return add_at_snr(x, coloured_noise(x), uniform(1, *FAINT_SNR_DB, x.device))


def frames(rng, fbank: Fbank, x: torch.Tensor) -> torch.Tensor:
    """Log-mel frames [1, T, 80] of a longer or shorter vocal tract."""
    step = torch.full((1,), float(SHIFT))
    return normalise(fbank(x, step, frame_count(x.shape[1]), torch.full((1,), rng.uniform(*TRACT))))


def centre(model, speech: str, strings: int, seed: int) -> np.ndarray:
    """Mean embedding [D] of `strings` digit strings of each source, voices in turn."""
    rng, fbank, means = np.random.default_rng(seed), Fbank(), []
    sources = digit_voices(speech)
    bar = Progress("digits", strings * len(sources))
    for voices in sources.values():
        own = []
        for n in range(strings):
            with torch.no_grad():
                own.append(model(frames(rng, fbank, string(rng, voices[n % len(voices)])))[0].double().numpy())
            bar.update(len(means) * strings + n + 1)
        means.append(np.mean(own, axis=0))
    print({source: len(voices) for source, voices in sources.items()}, "voices")
    return np.mean(means, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True, help="of speaker_whiten.py, or a weights file")
    parser.add_argument("--speech", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--strings", type=int, default=140, help="of each source")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    seed_everything(args.seed)
    model, config = load(args.checkpoint)
    mean = centre(model, args.speech, args.strings, args.seed)
    print(f"the mean of digit strings lay {np.linalg.norm(mean):.2f} from the origin")
    with torch.no_grad():
        model.head.last.bias -= torch.from_numpy(mean).float()
    save_atomic({"config": config, "ema": model.state_dict(),
                 "centre": {"strings": args.strings, "seed": args.seed}}, args.out)


if __name__ == "__main__":
    main()
