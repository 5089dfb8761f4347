"""Scoring: which digits were heard, and was it the string that was asked for?

Plain NumPy, the reference for the port to the service.  One utterance at a time.

1. `collapse`  log-posteriors [T, units], divided by the temperature -> [T, 11], rows summing to 1:
   column 0 is the *gap* (blank, times exp(blank), plus the language's units that are no digit,
   times exp(filler), so that hesitations and breaths cost something but not everything), columns
   1..10 the digits 0..9 (the probabilities of a digit's pronunciations added: yī + yāo, zero +
   oh).  Units of the other language are left out: the language asked for is known.  No column
   is below the floor.
2. `total`     log p(any digit string) = sum over frames of log(sum of the columns): CTC gives
   each path to exactly one string, so the sum over all strings is the sum over all paths
   (0 after `collapse`, whose rows sum to 1).
3. `forward`   log p(string) by CTC's forward recursion.
4. LLR(string) = log p(string) - log p(any string): the log posterior probability of the
   string under the digit grammar.  Never above 0; 0 = certain.
5. `decode`    best free string by CTC prefix beam search, each digit's span by Viterbi.
6. `verify`    verdict `match`, `near` (one digit), `wrong`, `silence` by thresholds on the LLR and by
   how much more probable the strings one digit away are than the one expected.
   A false start (the caller begins, stops, and says the whole string again) is tried as well.

Spans are in samples at 8 kHz; output frame t covers samples 240 t - 80 to 240 t + 160.
"""
import math

import numpy as np

# Log weights of a non-digit unit's and of the blank's probability, and the least probability of a column (no
# frame can rule a string out). Found on kept-aside strings half way through step 6: neighbouring values (temperature
# 1.5, blank 0 or -2, filler -2 or -6, floor 1e-4 or 1e-10) changed the right strings accepted by less than their
# noise, or for the worse.
WEIGHTS = {"temperature": 1.0, "blank": -1.0, "filler": -4.0, "floor": 1e-5}
UNLIKELY = -9.0           # `decode` passes by a digit below this log-probability
FRAME_SAMPLES = 240
NEG = -1e30


def collapse(logp: np.ndarray, units: list[str], lang: str, lexicon: dict,
             filler: float = WEIGHTS["filler"], blank: float = WEIGHTS["blank"],
             temperature: float = WEIGHTS["temperature"], floor: float = WEIGHTS["floor"]):
    """[T, units] natural-log posteriors -> [T, 11] (gap, digits 0..9), each row sums to 1.

    `lexicon` is the language's: digit -> unit names.
    """
    p = np.exp(logp.astype(np.float64) / temperature)
    index = {u: i for i, u in enumerate(units)}
    out = np.zeros((len(p), 11))
    other = np.array([u.startswith(lang + ":") for u in units])
    for digit in range(10):
        cols = [index[u] for u in lexicon[str(digit)] if u in index]
        out[:, 1 + digit] = p[:, cols].sum(axis=1)
        other[cols] = False
    out[:, 0] = math.exp(blank) * p[:, 0] + math.exp(filler) * p[:, other].sum(axis=1)
    out = np.maximum(out / out.sum(axis=1, keepdims=True), floor)
    return np.log(out / out.sum(axis=1, keepdims=True))


def total(c: np.ndarray) -> float:
    """log p(any digit string, also the empty one)."""
    m = c.max(axis=1)
    return float((m + np.log(np.exp(c - m[:, None]).sum(axis=1))).sum())


def forward(c: np.ndarray, strings: list[str]) -> np.ndarray:
    """log p(string) of several strings of one length; float64 [strings], NEG if it cannot be.

    CTC's forward recursion on probabilities, scaled to sum 1 in every frame.
    """
    count, length = len(strings), len(strings[0])
    if length == 0:
        return np.full(count, c[:, 0].sum())
    states = 2 * length + 1
    cols = np.zeros((count, states), int)
    digits = np.array([[int(d) for d in s] for s in strings])
    cols[:, 1::2] = digits + 1
    # A digit may follow the last digit without a gap between them unless they are equal.
    skip = np.zeros((count, states - 2))
    skip[:, 1::2] = digits[:, 1:] != digits[:, :-1]
    p = np.exp(c)
    alpha = np.zeros((count, states))
    alpha[:, 0], alpha[:, 1] = p[0, 0], p[0, cols[:, 1]]
    scale = np.zeros(count)
    for t in range(1, len(p)):
        new = alpha.copy()
        new[:, 1:] += alpha[:, :-1]
        new[:, 2:] += skip * alpha[:, :-2]
        new *= p[t, cols]
        total_now = np.maximum(new.sum(axis=1), 1e-300)
        alpha = new / total_now[:, None]
        scale += np.log(total_now)
    end = alpha[:, -1] + alpha[:, -2]
    return np.where(end > 0, np.log(np.maximum(end, 1e-300)) + scale, NEG)


def llr(c: np.ndarray, string: str) -> float:
    """Log posterior probability of a string under the digit grammar."""
    return float(forward(c, [string])[0]) - total(c)


def decode(c: np.ndarray, beam: int = 8):
    """Best free string by prefix beam search: (string, its LLR)."""
    beams = {"": (0.0, NEG)}                       # prefix -> (ends in gap, ends in its digit)
    for row in c:
        new: dict[str, list[float]] = {}

        def add(prefix, slot, value):
            cell = new.setdefault(prefix, [NEG, NEG])
            cell[slot] = float(np.logaddexp(cell[slot], value))

        for prefix, (gap, digit) in beams.items():
            both = float(np.logaddexp(gap, digit))
            add(prefix, 0, both + row[0])
            for d in range(10):
                if row[1 + d] < UNLIKELY:
                    continue
                if prefix and prefix[-1] == str(d):
                    add(prefix, 1, digit + row[1 + d])
                    add(prefix + str(d), 1, gap + row[1 + d])
                else:
                    add(prefix + str(d), 1, both + row[1 + d])
        ranked = sorted(new.items(), key=lambda item: -np.logaddexp(*item[1]))[:beam]
        beams = {k: tuple(v) for k, v in ranked}
    best = max(beams, key=lambda k: np.logaddexp(*beams[k]))
    return best, llr(c, best)


def align(c: np.ndarray, string: str):
    """Viterbi spans: for each digit (first sample, last sample + 1, its mean probability).

    CTC marks a digit's centre, not its edges.  An edge is put half way to the neighbouring
    digit's frames, but at most 180 ms from the digit's own frames.
    """
    if not string:
        return []
    states = 2 * len(string) + 1
    cols = np.zeros(states, int)
    cols[1::2] = [int(d) + 1 for d in string]
    score = np.full(states, NEG)
    score[0], score[1] = c[0, 0], c[0, cols[1]]
    back = np.zeros((len(c), states), int)
    for t in range(1, len(c)):
        new = np.full(states, NEG)
        for s in range(states):
            options = [(score[s], s)]
            if s > 0:
                options.append((score[s - 1], s - 1))
            if s > 2 and s % 2 and cols[s] != cols[s - 2]:
                options.append((score[s - 2], s - 2))
            value, back[t, s] = max(options)
            new[s] = value + c[t, cols[s]]
        score = new
    s = states - 1 if score[-1] >= score[-2] else states - 2
    frames = [[] for _ in string]
    for t in range(len(c) - 1, -1, -1):
        if s % 2:
            frames[s // 2].append(t)
        s = back[t, s]
    if not all(frames):
        return []
    out = []
    for k, own in enumerate(frames):
        first, last = min(own), max(own)
        left, right = first - 6.0, last + 6.0
        if k:
            left = max(left, (max(frames[k - 1]) + first) / 2)
        if k + 1 < len(frames):
            right = min(right, (last + min(frames[k + 1])) / 2)
        p = float(np.mean([math.exp(c[t, cols[2 * k + 1]]) for t in own]))
        out.append((max(0, int(left * FRAME_SAMPLES + 40)), int(right * FRAME_SAMPLES + 40), p))
    return out


def variants(string: str) -> list[str]:
    """All strings that differ in exactly one digit."""
    return [string[:k] + d + string[k + 1:] for k in range(len(string)) for d in "0123456789"
            if d != string[k]]


def neighbours(c: np.ndarray, expected: str) -> float:
    """Log posterior probability that a string one digit away was said."""
    return float(np.logaddexp.reduce(forward(c, variants(expected)))) - total(c)


def verify(c: np.ndarray, expected: str, match: float, near: float | None = None,
           margin: float = math.inf):
    """Verdict on an expected string.

    `match`, `near`: least LLRs (near: default the same); `margin`: how much more probable, in nats, the strings one
    digit away may be together before the verdict is `near` instead of `match`.
    Returns a dict: verdict, llr, llrBest (against the best free string), heard, spans.
    """
    near = match if near is None else near
    heard, best = decode(c)
    spans = align(c, heard)
    value = llr(c, expected)
    if value < match and len(heard) > len(expected) and heard.endswith(expected[-2:]):
        # False start: what was said before must be the beginning of the expected string.
        extra = len(heard) - len(expected)
        if expected.startswith(heard[:extra]) and spans:
            rest = c[(spans[extra - 1][1] - 40) // FRAME_SAMPLES + 1:]
            again = llr(rest, expected)
            if again > value:
                value, c = again, rest
    result = {"llr": value, "llrBest": value - best, "heard": heard, "spans": spans}
    close = neighbours(c, expected)
    if not heard:
        result["verdict"] = "silence"
    elif value >= match and close - value <= margin:
        result["verdict"] = "match"
    else:
        result["verdict"] = "near" if np.logaddexp(close, value) >= near else "wrong"
    return result
