#!/usr/bin/env python3
"""Makes the speech in this folder, and manifest.json, with Debian's synthesisers.

Needs: python3 (standard library only), flite, espeak-ng, sox, libsox-fmt-base (AMR), ffmpeg.
Usage: make.py [folder]      The default folder is the one this script lies in.
The same Debian release gives the same bytes: every random choice is seeded with the name of the file.
"""

import hashlib
import json
import math
import pathlib
import shutil
import subprocess
import sys

from speech import CALLERS, LICENCES, RATE_HZ, TMP, add, at_level, call, noise, one_digit
from speech import read_wav, run, seeded, sentence, silence, write_wav

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
ENROLMENTS = 5
VERIFICATIONS = 4
SAYS_ANYTHING = ('en-rms', 'en-slt')
ENCODERS = {'ulaw': 'pcm_mulaw', 'alaw': 'pcm_alaw', 'pcm16': 'pcm_s16le'}


def digit_strings(caller):
    """Strings of 8 different digits; the first three enrolment strings hold all ten."""
    chance = seeded('digits', caller)
    while True:
        strings = [''.join(chance.sample('0123456789', 8)) for _ in range(ENROLMENTS + VERIFICATIONS)]
        if len(set(''.join(strings[:3]))) == 10 and len(set(strings)) == len(strings):
            return strings


MANIFEST = []


def record(path, seconds, media, encoding, **fields):
    data = (OUT / path).read_bytes()
    about = {'seconds': round(seconds, 3), 'bytes': len(data), 'sha256': hashlib.sha256(data).hexdigest()}
    MANIFEST.append({'file': path, 'kind': path.split('/')[0], 'media': media, 'encoding': encoding} | fields | about)


def encode(path, source, *options):
    """ffmpeg without dates, serial numbers or its own version in the file."""
    target = OUT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    exact = ('-map_metadata', '-1', '-fflags', '+bitexact', '-flags:a', '+bitexact')
    run('ffmpeg', '-v', 'error', '-y', *source, *options, *exact, target)


def save(path, signal, encoding, **fields):
    write_wav(TMP / 'call.wav', signal)
    encode(path, ['-i', TMP / 'call.wav'], '-c:a', ENCODERS[encoding])
    record(path, len(signal) / RATE_HZ, 'audio/wav', encoding, **fields)


def make_callers():
    for caller in CALLERS:
        for index, digits in enumerate(digit_strings(caller.name)):
            use, number = ('enrol', index + 1) if index < ENROLMENTS else ('verify', index - ENROLMENTS + 1)
            chance = seeded(caller.name, use, str(number))
            speech, fields = sentence(caller.name, digits, chance)
            encoding = 'pcm16' if (use, number) == ('verify', VERIFICATIONS) else caller.line
            save(f'callers/{caller.name}/{use}-{number}.wav', call(speech, chance), encoding, **fields, use=use)


def make_digits():
    """Each digit by itself, so that a client of the demo can say any string it is asked for."""
    for caller in SAYS_ANYTHING:
        for digit in '0123456789':
            speech, fields = one_digit(caller, digit)
            save(f'digits/{caller}/{digit}.wav', speech, 'ulaw', **fields)


def dtmf(digits):
    """Each key's two tones for 0.12 s (ITU-T Q.23), 0.1 s between."""
    keys = {key: (low, high) for low, row in zip((697, 770, 852, 941), ('123', '456', '789', '*0#'))
            for key, high in zip(row, (1209, 1336, 1477))}  # fmt: skip
    out = silence(0.2)
    for digit in digits:
        low, high = (2 * math.pi * frequency / RATE_HZ for frequency in keys[digit])
        out += [0.25 * (math.sin(low * at) + math.sin(high * at)) for at in range(round(0.12 * RATE_HZ))] + silence(0.1)
    return out


def make_odd():
    chance = seeded('odd')
    first, one = sentence('en-slt', '40718259', chance)
    second, two = sentence('en-rms', '63925180', chance)
    both = {key: one[key] for key in ('synthesiser', 'language', 'licence')}
    both |= {'caller': 'en-slt en-rms', 'voice': 'slt rms', 'text': f"{one['text']} / {two['text']}"}
    first, second = at_level(first, -22), at_level(second, -22)
    quiet = {'licence': LICENCES['none']}

    def odd(name, signal, **fields):
        save(f'odd/{name}.wav', signal, 'ulaw', **fields)

    odd('silence', silence(3), about='digital silence', **quiet)
    odd('noise', noise(3, -35, chance), about='noise without speech', **quiet)
    odd('dtmf', dtmf('40718259'), about='keys pressed instead of spoken', digits='40718259', **quiet)
    after = first + silence(0.3) + second
    odd('two-voices-in-turn', add(after, noise(len(after) / RATE_HZ, -60, chance)), about='one after the other', **both)
    odd('two-voices-at-once', add(first, second, noise(2, -60, chance)), about='both at the same time', **both)
    odd('clipped', [max(-0.5, min(0.5, sample * 12)) for sample in first], about='22 dB too loud, clipped at half of full scale', **one)
    hiss = noise(len(first) / RATE_HZ, -24, chance)
    odd('noisy', add([0.7 * sample for sample in first], hiss), about='speech-to-noise ratio about -1 dB', **one)
    short = {key: one[key] for key in ('caller', 'synthesiser', 'voice', 'language', 'licence')}
    odd('short', first[: round(0.3 * RATE_HZ)], about='0.3 s, part of the first word', **short)


def make_formats():
    """One signal in every format the decoder meets; reference.wav is what all of them hold."""
    chance = seeded('formats')
    speech, fields = sentence('en-slt', '2590', chance)
    other, theirs = sentence('en-rms', '7314', chance)
    write_wav(TMP / 'left.wav', call(speech, chance, 0.1, 0.1))
    write_wav(TMP / 'right.wav', call(other, chance, 0.1, 0.1))
    left, right = ['-i', TMP / 'left.wav'], ['-i', TMP / 'right.wav']
    seconds = len(read_wav(TMP / 'left.wav')) / RATE_HZ
    stereo = [*left, *right, '-filter_complex', '[0:a][1:a]amerge=inputs=2']
    mixed = {'voice': 'slt (left) rms (right)', 'caller': 'en-slt en-rms', 'digits': '2590 7314'}
    mixed |= {'text': f"left: {fields['text']} / right: {theirs['text']}"}
    wav, none = 'audio/wav', {}
    for name, media, encoding, source, options, more in [
        ('reference.wav', wav, 'pcm16', left, ['-c:a', 'pcm_s16le'], none),
        ('pcm8.wav', wav, 'pcm8', left, ['-c:a', 'pcm_u8'], none),
        ('pcm24.wav', wav, 'pcm24', left, ['-c:a', 'pcm_s24le'], none),
        ('pcm32.wav', wav, 'pcm32', left, ['-c:a', 'pcm_s32le'], none),
        ('float32.wav', wav, 'float32', left, ['-c:a', 'pcm_f32le'], none),
        ('ulaw.wav', wav, 'ulaw', left, ['-c:a', 'pcm_mulaw'], none),
        ('alaw.wav', wav, 'alaw', left, ['-c:a', 'pcm_alaw'], none),
        ('ima-adpcm.wav', wav, 'ima-adpcm', left, ['-c:a', 'adpcm_ima_wav', '-block_size', '256'], none),
        ('rate-16000.wav', wav, 'pcm16', left, ['-ar', '16000', '-c:a', 'pcm_s16le'], {'sampleRateHz': 16000}),
        ('stereo.wav', wav, 'pcm16', stereo, ['-c:a', 'pcm_s16le'], {'channels': 2} | mixed),
        ('raw.ulaw', 'audio/PCMU', 'ulaw', left, ['-f', 'mulaw'], none),
        ('raw.alaw', 'audio/PCMA', 'alaw', left, ['-f', 'alaw'], none),
        ('raw.l16', 'audio/L16;rate=8000', 'pcm16be', left, ['-f', 's16be'], none),
        ('flac.flac', 'audio/flac', 'flac', left, ['-c:a', 'flac'], none),
        ('mp3.mp3', 'audio/mpeg', 'mp3', left, ['-c:a', 'libmp3lame', '-b:a', '32k'], none),
        ('opus.ogg', 'audio/ogg', 'opus', left, ['-c:a', 'libopus', '-b:a', '24k'], {'sampleRateHz': 48000}),
        ('opus.webm', 'audio/webm', 'opus', left, ['-c:a', 'libopus', '-b:a', '24k'], {'sampleRateHz': 48000}),
        # The index of an m4a comes last unless asked otherwise: a decoder that reads a pipe has to meet that case.
        ('aac.m4a', 'audio/mp4', 'aac', left, ['-c:a', 'aac', '-b:a', '32k'], {'index': 'last'}),
        ('aac-faststart.m4a', 'audio/mp4', 'aac', left, ['-c:a', 'aac', '-b:a', '32k', '-movflags', '+faststart'],
         {'index': 'first'}),
    ]:  # fmt: skip
        encode(f'formats/{name}', source, *options)
        base = {'sampleRateHz': RATE_HZ, 'channels': 1}
        record(f'formats/{name}', seconds, media, encoding, **(base | fields | more))
    run('sox', '-D', TMP / 'left.wav', '-C', '7', OUT / 'formats/amr.amr-nb')
    (OUT / 'formats/amr.amr-nb').rename(OUT / 'formats/amr.amr')
    record('formats/amr.amr', seconds, 'audio/amr', 'amr-nb 12.2 kbit/s', sampleRateHz=RATE_HZ, channels=1, **fields)


def package_version(name):
    answer = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', name], capture_output=True, text=True, check=False)
    return answer.stdout or 'unknown'


def main():
    for folder in ('callers', 'digits', 'odd', 'formats'):
        shutil.rmtree(OUT / folder, ignore_errors=True)
    make_callers()
    make_digits()
    make_odd()
    make_formats()
    made = {name: package_version(name) for name in ('flite', 'espeak-ng', 'sox', 'ffmpeg')}
    head = {'madeBy': 'audio-fixtures/make.py', 'packages': made, 'files': MANIFEST}
    (OUT / 'manifest.json').write_text(json.dumps(head, ensure_ascii=False, indent=1) + '\n')
    shutil.rmtree(TMP)
    print(f'{len(MANIFEST)} files, {sum(entry["bytes"] for entry in MANIFEST)} bytes')


main()
