"""Units of the digit recogniser and the way from text to units.

One unit per spoken syllable or word (each emits one CTC token):
  ``<b>``       blank, always unit 0
  ``zh:yi``     Mandarin syllable without its tone (pinyin, ü written v)
  ``en:seven``  English word or spelled letter; words too rare to learn are ``en:*``

Beside them a second, finer inventory serves forced alignment during training only:
Mandarin initials and finals, English phones (CMU style).

A *lexicon* maps each digit of a language to the units that mean it.  Every
pronunciation is one unit, so a decoder may add up the probabilities of a digit's
units frame by frame (yī and yāo both mean 1; zero and oh both mean 0).
"""
import re

BLANK = "<b>"

LEXICON = {
    "zh": {"0": ["zh:ling"], "1": ["zh:yi", "zh:yao"], "2": ["zh:er"], "3": ["zh:san"],
           "4": ["zh:si"], "5": ["zh:wu"], "6": ["zh:liu"], "7": ["zh:qi"],
           "8": ["zh:ba"], "9": ["zh:jiu"]},
    "en": {"0": ["en:zero", "en:oh"], "1": ["en:one"], "2": ["en:two"], "3": ["en:three"],
           "4": ["en:four"], "5": ["en:five"], "6": ["en:six"], "7": ["en:seven"],
           "8": ["en:eight"], "9": ["en:nine"]},
}

# Lexical tone of the digits (yāo is tone 1); a homophone of another tone is second choice.
TONES = {"ling": 2, "yi": 1, "yao": 1, "er": 4, "san": 1, "si": 4, "wu": 3, "liu": 4,
         "qi": 1, "ba": 1, "jiu": 3}

_HAN = re.compile(r"[\u4e00-\u9fff]")
_INITIALS = ("zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h",
             "j", "q", "x", "r", "z", "c", "s", "y", "w")

# Phones of the English words that occur (CMU phone set, as flite's lexicon has them).
LETTER_PHONES = {
    "a": "ey", "b": "b iy", "c": "s iy", "d": "d iy", "e": "iy", "f": "eh f", "g": "jh iy",
    "h": "ey ch", "i": "ay", "j": "jh ey", "k": "k ey", "l": "eh l", "m": "eh m",
    "n": "eh n", "oh": "ow", "p": "p iy", "q": "k y uw", "r": "aa r", "s": "eh s",
    "t": "t iy", "u": "y uw", "v": "v iy", "w": "d ah b ax l y uw", "x": "eh k s",
    "y": "w ay", "z": "z iy"}
WORD_PHONES = {
    "zero": "z ih r ow", "one": "w ah n", "two": "t uw", "three": "th r iy", "four": "f ao r",
    "five": "f ay v", "six": "s ih k s", "seven": "s eh v ax n", "eight": "ey t",
    "nine": "n ay n", "ten": "t eh n", "eleven": "ih l eh v ax n", "twelve": "t w eh l v",
    "thirteen": "th er t iy n", "fourteen": "f ao r t iy n", "fifteen": "f ih f t iy n",
    "sixteen": "s ih k s t iy n", "seventeen": "s eh v ax n t iy n",
    "eighteen": "ey t iy n", "nineteen": "n ay n t iy n", "twenty": "t w eh n t iy",
    "thirty": "th er t iy", "forty": "f ao r t iy", "fifty": "f ih f t iy",
    "sixty": "s ih k s t iy", "seventy": "s eh v ax n t iy", "eighty": "ey t iy",
    "ninety": "n ay n t iy", "hundred": "hh ah n d r ax d", "thousand": "th aw z ax n d",
    "first": "f er s t", "second": "s eh k ax n d", "third": "th er d",
    "fourth": "f ao r th", "fifth": "f ih f th", "sixth": "s ih k s th",
    "seventh": "s eh v ax n th", "eighth": "ey t th", "ninth": "n ay n th",
    "eleventh": "ih l eh v ax n th", "twelfth": "t w eh l f th",
    "fifteenth": "f ih f t iy n th", "sixteenth": "s ih k s t iy n th",
    "eighteenth": "ey t iy n th", "twentieth": "t w eh n t iy ax th",
    "thirtieth": "th er t iy ax th", "enter": "eh n t er", "rubout": "r ah b aw t",
    "erase": "ih r ey s", "repeat": "r ih p iy t", "help": "hh eh l p",
    "start": "s t aa r t", "and": "ae n d", "of": "ah v", "half": "hh ae f",
    "area": "eh r iy ax", "code": "k ow d", "apostrophe": "ax p aa s t r ax f iy",
    "january": "jh ae n y uw eh r iy", "february": "f eh b r uw eh r iy", "march": "m aa r ch",
    "april": "ey p r ax l", "may": "m ey", "june": "jh uw n", "july": "jh uh l ay",
    "august": "aa g ax s t", "september": "s eh p t eh m b er",
    "october": "aa k t ow b er", "november": "n ow v eh m b er",
    "december": "d ih s eh m b er", "yes": "y eh s", "no": "n ow", "go": "g ow",
    "stop": "s t aa p", "on": "aa n", "off": "ao f", "up": "ah p", "down": "d aw n",
    "left": "l eh f t", "right": "r ay t", "happy": "hh ae p iy", "cat": "k ae t",
    "bed": "b eh d", "bird": "b er d", "dog": "d ao g", "house": "hh aw s",
    "marvin": "m aa r v ax n", "sheila": "sh iy l ax", "tree": "t r iy", "wow": "w aw",
    "learn": "l er n", "follow": "f aa l ow", "visual": "v ih zh uw ax l",
    "backward": "b ae k w er d", "forward": "f ao r w er d"}


def english_words(text: str) -> list[str]:
    """Words of a transcript; the letter O and the digit "oh" are the same sound."""
    return ["oh" if word == "o" else word for word in text.lower().split()]


def english_phones(word: str) -> list[str]:
    """Phones of one English word, [] if the word is unknown."""
    return (LETTER_PHONES.get(word) or WORD_PHONES.get(word) or "").split()


def split_syllable(syllable: str) -> list[str]:
    """Initial and final of a toneless pinyin syllable: ``liu`` -> [``l``, ``iu``]."""
    for initial in _INITIALS:
        if syllable.startswith(initial) and len(syllable) > len(initial):
            final = syllable[len(initial):]
            if final == "i" and initial in ("zh", "ch", "sh", "r"):
                final = "ih"
            elif final == "i" and initial in ("z", "c", "s"):
                final = "ix"
            return [initial, final]
    return [syllable]


def chinese_syllables(text: str) -> list[tuple[str, int]] | None:
    """(toneless syllable, tone 1..5) of each character; None if a character has no reading."""
    from pypinyin import Style, pinyin

    if re.search(r"[^\W\d_\u4e00-\u9fff]|[0-9×]", re.sub(_HAN, "", text)):
        return None
    out = []
    for item in pinyin(text, style=Style.TONE3, neutral_tone_with_five=True,
                       errors=lambda rest: [c for c in rest if _HAN.match(c)]):
        reading = item[0]
        match = re.fullmatch(r"([a-zêü]+)([1-5])", reading.replace("ü", "v"))
        if not match:
            return None
        out.append((match.group(1), int(match.group(2))))
    return out
