"""Training batches: sentences, words, and digit strings joined from cut-out syllables.

A training example is a list of *pieces* of the one sample array, laid on a time line, and
its unit labels.  Workers draw the pieces (`Composer`); `render` turns a whole batch into
samples on the training device, `features_of` into log-mel frames of one common length:

  pieces  float64 [B, P, 7]: first sample, length (samples), place on the time line
          (samples), speed (source samples per output sample), gain, fade in, fade out
          (output samples)
  warp    float32 [B]: time compression applied to the frames, 1.2 = 1.2 times as fast
          without a change of pitch

No openly licensed connected Mandarin digits exist, so strings are joined from the digits'
syllables (and homophones, same tone first) that forced alignment found in sentences: mostly
one voice a string, tight joins with overlap and clipped edges, some gaps and group pauses,
then resampled, time-compressed or stretched (0.5 to 1.6 times) to a pace drawn from `PACE`, and sent through the telephone chain.
"""
import collections

import numpy as np
import torch

import augment
import digits_units as du
import features

RATE = 8000
SHARES = {"sentence": 0.34, "zhdigits": 0.34, "en": 0.11, "endigits": 0.13, "synth": 0.05,
          "syllables": 0.03}
PACE = {"zh": (135, 340), "en": (180, 480)}          # milliseconds a digit, joined strings
SHARES_NO_CUTS = {"sentence": 0.66, "en": 0.27, "synth": 0.02, "syllables": 0.05}


class Composer:
    """Draws examples.

    data      the manifest (digits_data.load), audio the int16 array
    cuts      None, or {row number: int64 [n, 2] first and last+1 sample of each unit within
              the array} (digits_align.py)
    held      draw from the speakers kept aside instead of the training speakers
    own_share, digit_share   part of the examples that are own recordings, joined strings
    """

    def __init__(self, data, audio, cuts=None, held=False, shares=None, own_share=0.0,
                 digit_share=0.0, languages=("zh", "en")):
        self.audio, self.units = audio, data["units"]
        self.rows = [r for r in data["rows"] if r["held"] == held]
        self.pools = collections.defaultdict(list)
        for i, r in enumerate(self.rows):
            kind = r["kind"]
            name = {"sentence": "sentence" if r["lang"] == "zh" else "en", "word": "enword",
                    "syllable": "syllables", "synth": "synth", "own": "own"}[kind]
            if r["lang"] not in languages or (name == "enword" and r["lang"] == "zh"):
                continue
            self.pools[name].append(i)
        self.lengths = {k: np.array([self.rows[i]["len"] for i in v])
                        for k, v in self.pools.items()}
        self.words_of = collections.defaultdict(list)
        for i in self.pools["enword"]:
            self.words_of[self.rows[i]["spk"]].append(i)
        self.word_speakers = sorted(self.words_of)
        shares = dict(shares or (SHARES if cuts else SHARES_NO_CUTS))
        if digit_share and cuts:
            joined = shares["zhdigits"] + shares["endigits"]
            shares = {k: v * (digit_share / joined if k.endswith("digits")
                              else (1 - digit_share) / (1 - joined)) for k, v in shares.items()}
        if own_share and self.pools["own"]:
            shares = {k: v * (1 - own_share) for k, v in shares.items()}
            shares["own"] = own_share
        if not self.pools["synth"]:
            shares.pop("synth", None)
        for name in ("sentence", "syllables"):
            if not self.pools[name]:
                shares.pop(name, None)
        if "zh" not in languages:
            shares.pop("zhdigits", None)
        if "en" not in languages:
            shares.pop("endigits", None), shares.pop("en", None)
        self.kinds = sorted(shares)
        self.p = np.array([shares[k] for k in self.kinds])
        self.p /= self.p.sum()
        self.cuts = None
        if cuts:
            self._index(data, cuts, held)

    def _index(self, data, cuts, held):
        """segments[lang][speaker][unit] = list of (first sample, length, weight, last phone before, first phone
        behind); runs[lang][speaker] = list of (units, (first sample, length)): digits said next to each other."""
        numbers = [i for i, r in enumerate(data["rows"]) if r["held"] == held]
        self.cuts = {i: cuts[n] for i, n in enumerate(numbers) if n in cuts}
        digit_units = {lang: {u for us in lex.values() for u in us}
                       for lang, lex in du.LEXICON.items()}
        self.segments = {"zh": collections.defaultdict(lambda: collections.defaultdict(list)),
                         "en": collections.defaultdict(lambda: collections.defaultdict(list))}
        self.runs = {lang: collections.defaultdict(list) for lang in self.segments}
        self.phones_of = {}
        for i, bounds in self.cuts.items():
            r = self.rows[i]
            if r["kind"] == "synth":
                continue
            run = []
            for k, ((a, b), unit, tone) in enumerate(zip(bounds, r["units"], r["tones"])):
                name = self.units[unit]
                if name not in digit_units[r["lang"]] or not 560 <= b - a <= 6400:
                    run = []
                    continue
                self.phones_of[name] = r["phones"][k]
                before = r["phones"][k - 1][-1] if k and r["phones"][k - 1] else None
                behind = r["phones"][k + 1][0] if k + 1 < len(bounds) and r["phones"][k + 1] else None
                good = tone in (0, du.TONES.get(name[3:], 0))
                weight = (1.0 if good else 0.25) * (0.5 if b - a < 900 else 1.0)
                self.segments[r["lang"]][r["spk"]][name].append((int(a), int(b - a), weight, before, behind))
                run = [*run[-2:], (int(a), int(b), name)]
                if len(run) > 1:
                    self.runs[r["lang"]][r["spk"]].append(([n for _, _, n in run], (run[0][0], int(b) - run[0][0])))
        self.speakers, self.speaker_p = {}, {}
        for lang, table in self.segments.items():
            names = sorted(table)
            size = np.array([min(60, sum(len(v) for v in table[n].values())) ** 0.5
                             for n in names], float)
            for k, n in enumerate(names):
                if n == "cw" or n.startswith("zh0"):
                    size[k] *= 1.5
            self.speakers[lang], self.speaker_p[lang] = names, size / size.sum()
        self.rows_of = collections.defaultdict(list)
        for i in self.cuts:
            if self.rows[i]["kind"] == "sentence":
                self.rows_of[self.rows[i]["spk"]].append(i)

    # ------------------------------------------------------------- single examples
    def level(self, at, length):
        x = np.asarray(self.audio[at:at + length], dtype=np.float32) / 32768
        return float(np.sqrt(np.mean(x * x)) + 1e-4)

    def whole(self, rng, pool, room, warp):
        """One utterance; `room` samples of time line."""
        index, lengths = self.pools[pool], self.lengths[pool]
        fit = np.nonzero((lengths < 0.97 * room) & (lengths > 0.4 * room))[0]
        if not len(fit):
            fit = np.nonzero(lengths < 0.97 * room)[0]
        if not len(fit):
            return None
        row = self.rows[index[int(rng.choice(fit))]]
        speed = max(rng.uniform(0.9, 1.12), row["len"] / (0.99 * room))
        place = rng.uniform(0, room - row["len"] / speed)
        gain = 0.08 / self.level(row["at"], row["len"])
        return ([[row["at"], row["len"], place, speed, gain, 160, 160]], list(row["units"]),
                [p for u in row["phones"] for p in u])

    def several(self, rng, indices, room, gap):
        """Short utterances one after the other."""
        pieces, units, phones, cursor = [], [], [], rng.uniform(0, 4000)
        speed = rng.uniform(0.88, 1.14)
        for i in indices:
            row = self.rows[i]
            if cursor + row["len"] / speed > room:
                break
            gain = 0.08 / self.level(row["at"], row["len"]) * 10 ** (rng.uniform(-3, 3) / 20)
            pieces.append([row["at"], row["len"], cursor, speed, gain, 120, 120])
            cursor += row["len"] / speed + rng.uniform(*gap)
            units += row["units"]
            phones += [p for u in row["phones"] for p in u]
        return (pieces, units, phones) if pieces else None

    def carrier(self, rng, speaker):
        """A few running syllables of the same speaker: (first sample, length, units) or None."""
        rows = self.rows_of.get(speaker)
        if not rows:
            return None
        i = rows[int(rng.integers(len(rows)))]
        row, bounds = self.rows[i], self.cuts[i]
        count = int(rng.integers(1, 5))
        if len(bounds) <= count:
            return None
        k = int(rng.integers(len(bounds) - count))
        at = int(bounds[k, 0])
        return at, int(bounds[k + count - 1, 1]) - at, row["units"][k:k + count]

    def string(self, rng, lang, room, digits=None, carrier=0.15):
        """A digit string joined from cut-out digits."""
        table, names, p = self.segments[lang], self.speakers[lang], self.speaker_p[lang]
        free = digits is None
        if free:
            count = int(rng.integers(3, 11))
            digits = [int(d) for d in rng.integers(0, 10, count)]
            for k in range(1, count):
                if rng.random() < 0.08:
                    digits[k] = digits[k - 1]
        rare = rng.random() < 0.4
        words = []                                   # (units, their one piece of sound or None)
        for d in digits:
            choices = du.LEXICON[lang][str(d)]
            words.append(([choices[-1] if rare and rng.random() < 0.9 else choices[0]], None))
        voices = [names[int(rng.choice(len(names), p=p))]
                  for _ in range(1 if rng.random() < 0.75 else 4)]
        runs = self.runs[lang].get(voices[0])
        if runs and free:                            # here and there two or three as they were said
            words = [runs[int(rng.integers(len(runs)))] if rng.random() < 0.15 else w for w in words]
        style = rng.random()
        style = "tight" if style < 0.58 else "close" if style < 0.78 else "spaced"
        speed = rng.uniform(0.88, 1.16)
        pieces, units, cursor = [], [], rng.uniform(0, min(5000, room / 5))
        index = self.unit_index()

        def put(at, length, gain, labels):
            nonlocal cursor
            one = 1 / len(labels)
            if style == "tight":
                clip = rng.uniform(0, 0.12, 2) * length * one
                at, length = at + clip[0], length - clip.sum()
                fades = rng.uniform(80, 280, 2)
            else:
                fades = rng.uniform(60, 200, 2)
            own = speed * rng.uniform(0.96, 1.04)
            size = length / own
            if cursor + size > room:
                return False
            pieces.append([at, length, cursor, own, gain, fades[0], fades[1]])
            units.extend(labels)
            if style == "tight":
                step = -rng.uniform(0, 0.22) * size * one
            elif style == "close":
                step = rng.uniform(-100, 700)
            else:
                step = rng.uniform(600, 4000)
            if rng.random() < 0.1:
                step = rng.uniform(800, 3600)
            cursor += size + step
            return True

        if rng.random() < carrier:
            extra = self.carrier(rng, voices[0])
            if extra:
                put(extra[0], extra[1], 0.1 / self.level(*extra[:2]), extra[2])
        loud = 10 ** (rng.uniform(0, 4) / 20)
        for k, (said, piece) in enumerate(words):
            if piece is None:
                voice = voices[int(rng.integers(len(voices)))]
                found = table[voice].get(said[0])
                for _ in range(12):
                    if found:
                        break
                    found = table[names[int(rng.choice(len(names), p=p))]].get(said[0])
                if not found:
                    continue
                # Rather one whose neighbours in its sentence sounded like those it gets here.
                left = self.phones_of[words[k - 1][0][-1]][-1] if k else None
                right = self.phones_of[words[k + 1][0][0]][0] if k + 1 < len(words) else None
                weights = np.array([w * (4 if before == left else 1) * (4 if behind == right else 1)
                                    for _, _, w, before, behind in found])
                piece = found[int(rng.choice(len(found), p=weights / weights.sum()))]
            at, length = piece[:2]
            margin = 120
            at, length = max(0, at - margin), length + 2 * margin
            gain = 0.1 / self.level(at, length) * loud ** rng.uniform(-1, 1)
            if not put(at, length, gain, [index[w] for w in said]):
                break
        if not pieces:
            return None
        if rng.random() < carrier / 2:
            extra = self.carrier(rng, voices[0])
            if extra:
                put(extra[0], extra[1], 0.1 / self.level(*extra[:2]), extra[2])
        return pieces, units, None

    def unit_index(self):
        if not hasattr(self, "_unit_index"):
            self._unit_index = {u: i for i, u in enumerate(self.units)}
        return self._unit_index

    @staticmethod
    def pace(rng, lang, made, seconds):
        """Time compression that brings a string to a pace drawn for it."""
        pieces, units, _ = made
        end = max(p[2] + p[1] / p[3] for p in pieces)
        each = (end - pieces[0][2]) / len(units) / 8                 # milliseconds a unit
        low, high = PACE[lang]
        if rng.random() < 0.25:                      # digits read out one by one
            low, high = high, 2.2 * high
        aim = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        least = end / (0.98 * seconds * RATE)
        return max(least, float(np.clip(each / aim, 0.5, 1.6)))

    def one(self, rng, seconds):
        kind = self.kinds[int(rng.choice(len(self.kinds), p=self.p))]
        # A quarter of the Mandarin sentences is hurried: real joins at the pace of digits.
        hurry = kind == "sentence" and rng.random() < 0.25
        warp = rng.uniform(1.25, 1.5) if hurry else rng.uniform(0.88, 1.25)
        room = seconds * RATE * warp
        if kind in ("zhdigits", "endigits"):
            out = self.string(rng, kind[:2], seconds * RATE * 1.25)
            if out:
                warp = self.pace(rng, kind[:2], out, seconds)
        elif kind == "syllables":
            picks = rng.integers(0, len(self.pools[kind]), int(rng.integers(1, 8)))
            out = self.several(rng, [self.pools[kind][int(i)] for i in picks], room, (-200, 3000))
        elif kind == "en":
            if rng.random() < 0.45 or not self.pools["en"]:
                own = self.words_of[self.word_speakers[int(rng.integers(len(self.word_speakers)))]]
                picks = rng.integers(0, len(own), int(rng.integers(1, 9)))
                out = self.several(rng, [own[int(i)] for i in picks], room, (-800, 1500))
            else:
                picks = rng.integers(0, len(self.pools["en"]), int(rng.integers(1, 4)))
                out = self.several(rng, [self.pools["en"][int(i)] for i in picks], room,
                                   (500, 6000))
        else:
            out = self.whole(rng, kind, room, warp)
        if out is None:
            return None
        pieces, units, phones = out
        # Every label needs a frame, equal neighbours one more; frames are 30 ms.
        need = len(units) + sum(a == b for a, b in zip(units, units[1:]))
        last = max(p[2] + p[1] / p[3] for p in pieces) - min(p[2] for p in pieces)
        if need * 240 > 0.9 * last / warp:
            return None
        lang = self.units[units[0]][:2]
        return pieces, units, phones, warp, lang

    def batch(self, rng, batch_seconds):
        """(pieces [B, P, 7], warp [B], units, phones, seconds)."""
        seconds = float(rng.choice([2.5, 3.5, 5.0, 7.0, 9.0, 10.6],
                                   p=[0.15, 0.25, 0.2, 0.15, 0.15, 0.1]))
        items = []
        for _ in range(int(batch_seconds / seconds)):
            item = None
            while item is None:
                item = self.one(rng, seconds)
            items.append(item)
        widest = max(len(i[0]) for i in items)
        pieces = np.zeros((len(items), widest, 7))
        pieces[:, :, 3] = 1
        for k, item in enumerate(items):
            pieces[k, :len(item[0])] = item[0]
        return {"pieces": torch.from_numpy(pieces),
                "warp": torch.tensor([i[3] for i in items], dtype=torch.float32),
                "units": [i[1] for i in items], "phones": [i[2] for i in items],
                "lang": [i[4] for i in items],
                "seconds": seconds}


class Stream(torch.utils.data.IterableDataset):
    """Endless batches for a DataLoader with batch_size=None."""

    def __init__(self, composer, batch_seconds, seed):
        self.composer, self.batch_seconds, self.seed = composer, batch_seconds, seed

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, info.id if info else 0))
        while True:
            yield self.composer.batch(rng, self.batch_seconds)


# ---------------------------------------------------------------- on the training device

def render(audio: torch.Tensor, pieces: torch.Tensor, samples: int) -> torch.Tensor:
    """Lays the pieces of each example on its time line: float32 [B, samples].

    audio int16 [N] on the device.  Sources are read between samples by a cubic (Catmull-Rom)
    curve; pieces that overlap add up under raised-cosine fades.
    """
    b = pieces.shape[0]
    t = torch.arange(samples, device=audio.device)[None]
    out = torch.zeros(b, samples, device=audio.device)
    for k in range(pieces.shape[1]):
        rows = torch.nonzero(pieces[:, k, 1] > 0)[:, 0]
        at, length, place, speed, gain, fade_in, fade_out = (
            v[:, None] for v in pieces[rows, k].unbind(1))
        local = (t - place).float()
        position = local * speed.float()
        inside = (position >= 0) & (position < length - 1)
        position = position.clamp(min=0)
        whole = position.floor()
        f = position - whole
        first = at.long() + torch.minimum(whole.long(), (length.long() - 2).clamp(min=0))
        p0, p1, p2, p3 = (audio[(first + j).clamp(0, audio.shape[0] - 1)].float()
                          for j in (-1, 0, 1, 2))
        value = p1 + 0.5 * f * (p2 - p0 + f * (2 * p0 - 5 * p1 + 4 * p2 - p3
                                               + f * (3 * (p1 - p2) + p3 - p0)))
        size = (length / speed).float()
        window = (0.5 - 0.5 * torch.cos(torch.pi * (local / fade_in.float()).clamp(0, 1))) * \
                 (0.5 - 0.5 * torch.cos(torch.pi * ((size - local) / fade_out.float()).clamp(0, 1)))
        value = value * window * (gain / 32768).float()
        out[rows] += torch.where(inside, value, 0.0)
    return out


class Pipeline(torch.nn.Module):
    """Batch -> normalised frames [B, T, 80] on the device, with the telephone chain."""

    def __init__(self, audio: torch.Tensor, strength: float = 1.0):
        super().__init__()
        self.audio = audio
        self.fbank = features.Fbank()
        self.chain = augment.Augment(strength) if strength else None

    @torch.no_grad()
    def forward(self, batch, spec: bool = True) -> torch.Tensor:
        device = self.audio.device
        pieces, warp = batch["pieces"].to(device), batch["warp"].to(device)
        samples = int(batch["seconds"] * RATE * float(batch["warp"].max())) + 160
        samples = -(-samples // 1600) * 1600         # a length that Fourier transforms like
        x = render(self.audio, pieces, samples)
        floor = 10 ** (augment.uniform(len(x), -85, -48, device) / 20)
        x = x + torch.randn_like(x) * floor[:, None]
        if self.chain is not None:
            x = self.chain(x)
        vocal = None
        if spec:
            vocal = torch.where(torch.rand_like(warp) < 0.6,
                                augment.uniform(len(x), 0.9, 1.1, device), torch.ones_like(warp))
        feats = features.normalise(self.fbank(x, features.SHIFT * warp, int(batch["seconds"] * 100), vocal))
        if spec:
            feats = augment.spec_augment(feats, p=0.5, bands=12, frames=8, count=2)
        return feats
