"""The voices of the fixtures, and what one telephone call makes of them: lists of floats in [-1, 1] at 8 kHz."""

import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import wave
from typing import NamedTuple

RATE_HZ = 8000
TMP = pathlib.Path(tempfile.mkdtemp())


class Caller(NamedTuple):
    """One voice on one telephone line.

    pace: slower than the voice's own speed by this factor. tract: its pitch and resonances higher by this factor, as a
    shorter vocal tract has them. pitch: espeak-ng's scale, 50 is the voice's own. yao: says 幺 for 1, not 一.
    """

    name: str
    synthesiser: str
    voice: str
    language: str
    line: str
    pace: float
    tract: float = 1.0
    pitch: int = 50
    yao: bool = False


# Chosen and shifted to be far from each other for the baseline model and to be heard as speech by Silero VAD: many of
# espeak-ng's voices fail at one or the other. Its pinyin voice is used for Mandarin because the other one reads most of
# the signs 零 to 九 by English rules.
CALLERS = [
    Caller('en-awb', 'flite', 'awb', 'en', 'ulaw', 1.35),
    Caller('en-rms', 'flite', 'rms', 'en', 'ulaw', 1.2, tract=0.88),
    Caller('en-slt', 'flite', 'slt', 'en', 'ulaw', 1.3),
    Caller('zh-f4', 'espeak-ng', 'cmn-latn-pinyin+f4', 'zh', 'ulaw', 1.2, tract=1.12),
    Caller('zh-klatt', 'espeak-ng', 'cmn-latn-pinyin+klatt', 'zh', 'ulaw', 1.3, pitch=30),
    Caller('zh-m5', 'espeak-ng', 'cmn-latn-pinyin+m5', 'zh', 'alaw', 1.25, pitch=10, yao=True),
]
WORDS = {
    'en': 'zero one two three four five six seven eight nine'.split(),
    'zh': 'ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3'.split(),
}
SIGNS = '零一二三四五六七八九'
YAO = ('yao1', '幺')
LICENCES = {
    'flite': 'CMU Flite licence (BSD-like), (c) 1999-2001 Language Technologies Institute, Carnegie Mellon University',
    'espeak-ng': 'output of espeak-ng; the program and its voice data are GPL-3.0-or-later',
    'none': 'no voice: computed by make.py',
}


def run(*command):
    """Run a program without standard input; its messages appear only when it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f'{command[0]} failed: {done.stderr.decode(errors="replace")[-800:]}')


def seeded(*names):
    return random.Random(' '.join(names))


# ---- signals ---------------------------------------------------------------------------------------------------------


def read_wav(path):
    with wave.open(str(path)) as source:
        count = source.getnframes()
        return [sample / 32768 for sample in struct.unpack(f'<{count}h', source.readframes(count))]


def write_wav(path, signal):
    clipped = (max(-32768, min(32767, round(sample * 32768))) for sample in signal)
    with wave.open(str(path), 'wb') as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(RATE_HZ)
        sink.writeframes(b''.join(struct.pack('<h', sample) for sample in clipped))


def rms(signal):
    return math.sqrt(sum(sample * sample for sample in signal) / len(signal))


def at_level(signal, level_db):
    """The signal scaled to this RMS level (dB below full scale), lower where a peak would clip."""
    gain = min(10 ** (level_db / 20) / rms(signal), 0.98 / max(map(abs, signal)))
    return [sample * gain for sample in signal]


def noise(seconds, level_db, chance):
    """Line noise: uniform, gently low-passed."""
    out, last = [], 0.0
    for _ in range(round(seconds * RATE_HZ)):
        last = 0.5 * last + chance.uniform(-1, 1)
        out.append(last)
    return at_level(out, level_db)


def silence(seconds):
    return [0.0] * round(seconds * RATE_HZ)


def add(*signals):
    length = max(map(len, signals))
    return [sum(signal[at] for signal in signals if at < len(signal)) for at in range(length)]


def speak(who, words, pace, cents):
    """Speech through the telephone band, from the first sound to the last.

    pace: slower than the voice's own speed by this factor; cents: higher than the caller's usual pitch by this much.
    flite's statistical voices take no pitch option, so sox shifts them. sox's speed shifts pitch and resonances
    together; the voice speaks slower or faster beforehand to make up for the time.
    """
    raw, line = TMP / 'raw.wav', TMP / 'line.wav'
    stretch, shift = pace * who.tract, []
    if who.synthesiser == 'flite':
        run('flite', '-voice', who.voice, '--setf', f'duration_stretch={stretch:.2f}', '-t', words, '-o', raw)
        shift = ['pitch', str(cents)]
    else:
        speed, pitch = round(150 / stretch), who.pitch + round(cents / 10)
        run('espeak-ng', '-b', '1', '-v', who.voice, '-s', speed, '-p', pitch, '-w', raw, words)
    shift += ['speed', str(who.tract)]
    run('sox', '-D', raw, '-b', '16', line, 'gain', '-6', *shift, 'rate', RATE_HZ, 'sinc', '300-3400')
    signal = read_wav(line)
    loud = [at for at, sample in enumerate(signal) if abs(sample) > 0.01]
    return signal[loud[0] : loud[-1] + 1]


def call(speech, chance, lead=0.25, tail=0.3):
    """The speech as one call brings it: its own level, tilt and line noise, a little quiet before and after."""
    tilt = chance.uniform(-0.15, 0.15)
    bent = [now + tilt * before for now, before in zip(speech, [0.0] + speech)]
    loud = at_level(bent, -22 + chance.uniform(-3, 3))
    padded = silence(lead) + loud + silence(tail)
    return add(padded, noise(len(padded) / RATE_HZ, chance.uniform(-62, -56), chance))


# ---- speech ----------------------------------------------------------------------------------------------------------


def spoken(digits, who):
    """What the synthesiser is given, and the same for a reader; a comma in the middle makes a short pause."""
    half = (len(digits) + 1) // 2
    names = [YAO[0] if who.yao and digit == '1' else WORDS[who.language][int(digit)] for digit in digits]
    said = ' '.join(names[:half]) + ', ' + ' '.join(names[half:])
    if who.language == 'en':
        return said, said
    signs = [YAO[1] if who.yao and digit == '1' else SIGNS[int(digit)] for digit in digits]
    return said, ''.join(signs[:half]) + '，' + ''.join(signs[half:])


def sentence(name, digits, chance):
    """One caller saying digits, a little faster or slower, higher or lower each time: (signal, manifest fields)."""
    who = next(caller for caller in CALLERS if caller.name == name)
    said, text = spoken(digits, who)
    speech = speak(who, said, who.pace * chance.uniform(0.93, 1.07), round(chance.uniform(-40, 40)))
    fields = {'caller': name, 'synthesiser': who.synthesiser, 'voice': who.voice, 'language': who.language}
    return speech, fields | {'digits': digits, 'text': text, 'licence': LICENCES[who.synthesiser]}


def one_digit(name, digit):
    """One caller saying a single digit, at the level of a call: (signal, manifest fields)."""
    who = next(caller for caller in CALLERS if caller.name == name)
    said = WORDS[who.language][int(digit)]
    text = said if who.language == 'en' else SIGNS[int(digit)]
    fields = {'caller': name, 'synthesiser': who.synthesiser, 'voice': who.voice, 'language': who.language}
    fields |= {'digits': digit, 'text': text, 'licence': LICENCES[who.synthesiser]}
    return at_level(speak(who, said, who.pace, 0), -22), fields
