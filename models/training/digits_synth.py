"""Optional: digit strings spoken by synthesisers, for training only, never for a test.

    python digits_synth.py --out DIR [--strings 1600] [--seed 1]

Needs the commands `espeak-ng` (formant voices, many variants) and, for English, `flite`
(its built-in voices, built from recordings) where they are installed.  Writes 8 kHz FLAC
files and `synth.tsv` (file, speaker, lang, text: the words spoken, as unit names without
their language).  Strings are fast and connected: words are given to the synthesiser as one
phrase, rates from slow dictation to hurried speech.
"""
import argparse
import csv
import os
import random
import shutil
import subprocess
import tempfile

import numpy as np

# Pinyin with tones for espeak-ng's pinyin voice: the signs 零 to 九 with its `cmn` voice are read by
# rules that give English letter names.
ZH = {"0": "ling2", "1": "yi1", "2": "er4", "3": "san1", "4": "si4", "5": "wu3", "6": "liu4",
      "7": "qi1", "8": "ba1", "9": "jiu3", "y": "yao1"}
EN = {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
      "7": "seven", "8": "eight", "9": "nine", "y": "oh"}
# espeak-ng's variants that sound like a person (no whispers, robots or croaks).
VARIANTS = ("m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 klatt klatt2 klatt3 klatt5 adam Alex Alicia "
            "Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis Diogo ed "
            "edward Gene grandma grandpa Gustave Henrique Hugo iven Jacky john kaukovalta Lee "
            "linda Marcelo Marco Mario max Michael michel miguel mike Nguyen norbert pablo paul "
            "pedro quincy rob robert sandro shelby steph travis victor zac").split()
ENGLISH = ["en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
           "en-029", "en-us-nyc"]
FLITE = ["slt", "awb", "rms", "kal16"]


def espeak(text, voice, rate, pitch, path):
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(rate), "-p", str(pitch), "-w", path,
                    text], check=True, capture_output=True)


def flite(text, voice, stretch, path):
    subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}",
                    "-t", text, "-o", path], check=True, capture_output=True)


def one(lang, rng, path):
    """Speaks one string; returns (speaker, words)."""
    digits = [rng.choice("0123456789") for _ in range(rng.randint(4, 10))]
    if rng.random() < 0.5:
        swap = "1" if lang == "zh" else "0"
        digits = ["y" if d == swap else d for d in digits]
    if lang == "zh":
        parts = [ZH[d] for d in digits]
        if rng.random() < 0.4:
            parts[rng.randint(2, len(digits) - 1) - 1] += ","
        variant = rng.choice(VARIANTS)
        espeak(" ".join(parts), "cmn-latn-pinyin+" + variant, rng.randint(120, 340),
               rng.randint(15, 85), path)
        return "es-zh-" + variant, [ZH[d][:-1] for d in digits]
    words = [EN[d] for d in digits]
    text = (" " if rng.random() < 0.7 else ", ").join(words)
    if shutil.which("flite") and rng.random() < 0.6:
        voice = rng.choice(FLITE)
        flite(text, voice, rng.uniform(0.65, 1.3), path)
        return "fl-" + voice, words
    voice = rng.choice(ENGLISH) + "+" + rng.choice(VARIANTS)
    espeak(text, voice, rng.randint(110, 320), rng.randint(15, 85), path)
    return "es-" + voice, words


def main():
    import soundfile
    from scipy.signal import resample_poly

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--strings", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    os.makedirs(os.path.join(args.out, "synth"), exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        wav = os.path.join(folder, "a.wav")
        for i in range(args.strings):
            lang = "zh" if i % 2 else "en"
            speaker, words = one(lang, rng, wav)
            data, rate = soundfile.read(wav, dtype="float32")
            data = resample_poly(data, 8000, rate) if rate != 8000 else data
            name = f"synth/{i:05d}.flac"
            data = 0.5 * data / max(1e-3, np.abs(data).max())
            soundfile.write(os.path.join(args.out, name), data, 8000, subtype="PCM_16")
            rows.append((name, speaker, lang, " ".join(words)))
            print(f"\r{i + 1}/{args.strings}", end="", flush=True)
    with open(os.path.join(args.out, "synth.tsv"), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["file", "speaker", "lang", "text"])
        writer.writerows(rows)
    print()


if __name__ == "__main__":
    main()
