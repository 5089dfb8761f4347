#!/usr/bin/env python3
"""What the reference implementation (models/training/digits_score.py) makes of the fixtures, for digits-golden.json.

    python test/challenge/make_digits_golden.py [model.onnx]        # default: models/digits-8k/model.onnx

Needs numpy, torch, onnxruntime and soundfile. Run it again whenever the recogniser's weights change. Two parts:
`fixtures`: synthesised callers of audio-fixtures/ through front-end, network and scoring; `matrices`: posteriors drawn at random,
scoring alone (they do not depend on the weights).
"""

import json
import pathlib
import random
import sys

import numpy as np
import soundfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'models' / 'training'))

import digits_score as ds  # noqa: E402
from digits_eval import Recogniser  # noqa: E402

CALLERS = ('en-awb', 'en-slt', 'zh-f4', 'zh-klatt', 'zh-m5')


def samples_of(name):
    audio, rate = soundfile.read(ROOT / 'audio-fixtures' / name, dtype='int16')
    assert rate == 8000 and audio.ndim == 1
    return audio.astype(np.float32) / 32768


def asked(chance, said):
    """The string said, one with one digit changed, one with two changed, another one altogether."""
    def with_changes(count):
        digits = list(said)
        for at in chance.sample(range(len(said)), count):
            digits[at] = chance.choice([d for d in '0123456789' if d != said[at]])
        return ''.join(digits)
    return [said, with_changes(1), with_changes(2), ''.join(chance.choice('0123456789') for _ in said)]


def posteriors(model, samples, language):
    weights = model.scoring.get(language, {})
    return ds.collapse(model(samples), model.units, language, model.lexicon[language], **weights)


def judged(c, expected, thresholds):
    found = ds.verify(c, expected, thresholds['match'], thresholds['near'], thresholds['margin'])
    return {'expected': expected, 'verdict': found['verdict'], 'llr': round(found['llr'], 4)}


def fixture_rows(model):
    chance = random.Random(4)
    manifest = json.loads((ROOT / 'audio-fixtures' / 'manifest.json').read_text())
    files = {entry['file']: entry for entry in manifest['files'] if entry.get('caller') in CALLERS}
    for name, entry in files.items():
        if entry['kind'] != 'callers' or entry['use'] != 'verify':
            continue
        language, digits = entry['language'], entry['digits']
        audio = samples_of(name)
        plain = posteriors(model, audio, language)
        signals = [(False, plain)]
        spans = ds.align(plain, ds.decode(plain)[0])
        if name.endswith('verify-1.wav'):
            # A false start: up to the end of the second digit heard, a pause, and the whole again.
            stopped = np.concatenate([audio[: spans[1][1]], np.zeros(4000, np.float32), audio])
            signals.append((True, posteriors(model, stopped, language)))
        for start, c in signals:
            heard, llr = ds.decode(c)
            yield {'file': name, 'falseStart': start, 'language': language, 'heard': heard, 'heardLlr': round(llr, 4),
                   'cutSample': spans[1][1], 'spans': [[a, b, round(p, 4)] for a, b, p in ds.align(c, heard)],
                   'asked': [judged(c, s, model.thresholds[language]) for s in asked(chance, digits)]}  # fmt: skip


def matrix_rows():
    rng = np.random.default_rng(7)
    for frames in (1, 2, 5, 9, 20, 40):
        for sharpness in (0.5, 3.0):
            x = rng.normal(size=(frames, 11)) * sharpness
            x[:, 0] += sharpness
            c = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
            c = np.round(c, 5)
            heard, llr = ds.decode(c)
            strings = ['', '0', '77', '1223', heard]
            probabilities = [float(ds.forward(c, [s])[0]) for s in strings]
            yield {'logs': c.flatten().tolist(), 'heard': heard,
                   'spans': [[a, b, round(p, 6)] for a, b, p in ds.align(c, heard)],
                   'strings': [[s, round(p, 6) if p > -1e20 else None] for s, p in zip(strings, probabilities)]}  # fmt: skip


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else ROOT / 'models' / 'digits-8k' / 'model.onnx'
    model = Recogniser(str(path))
    golden = {'madeBy': 'test/challenge/make_digits_golden.py', 'fixtures': list(fixture_rows(model)),
              'matrices': list(matrix_rows())}  # fmt: skip
    text = json.dumps(golden, indent=None, separators=(', ', ': '))
    for key in ('{"file"', '{"logs"'):
        text = text.replace(key, '\n' + key)
    (HERE / 'digits-golden.json').write_text(text + '\n')


main()
