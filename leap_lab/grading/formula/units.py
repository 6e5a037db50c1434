"""What the words behind a number say: a multiplier such as million, and a unit."""

import re
from collections.abc import Sequence
from fractions import Fraction

from leap_lab.grading.formula.names import MULTIPLIERS
from leap_lab.grading.formula.unit_table import TABLE, Unit, made_of

MOST_WORDS = 6
SINGLE = frozenset("mgshLlNJWVAKCFT")  # letters that can be a unit where white space stands before them
_SIGNS = "°$€£¥₹¢₩₽"
_PIECES = re.compile(rf"[A-Za-z{_SIGNS}]+(?:[.'-][A-Za-z]+)*\.?|\^?\(?-?[0-9]+\)?|[/*()-]")
_POWER = re.compile(r"\^?\(?-?[1-9]\)?")
_IGNORED = frozenset(["*", "(", ")", "-", "the", "a", "an"])
_BEFORE = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3, "cu.": 3}
_AFTER = {"squared": 2, "cubed": 3}
_SENTENCE = """
is are was were be or and not no nor neither none never wrong incorrect false more less fewer greater than at least most
about if but plus minus divided squared cubed factorial over choose mod modulo half halves third thirds quarter quarters
fourth fourths fifths sixths to from approximately maybe possibly perhaps probably roughly almost nearly otherwise when
where unless except with without so because since then base root isn't aren't doesn't don't can't cannot either exceeds
exactly below above under up down
"""
_STOPS = frozenset(_SENTENCE.split())


def known(word: str) -> bool:
    """Whether a word is a unit of the table."""
    return word in TABLE or singular(word) in TABLE


def stops(word: str) -> bool:
    """Whether a word cannot be part of a unit, so that what stands there is a sentence."""
    return word.lower().strip(".,") in _STOPS


def named(word: str) -> Unit:
    """The unit of a word or sign of the table."""
    return TABLE[word]


def read(phrase: str) -> tuple[int, Unit | None] | None:
    """What a phrase such as `million dollars` or `m/s^2` says: a multiplier and a unit; None where it is no unit."""
    pieces = _PIECES.findall(phrase)
    if not pieces or _PIECES.sub("", phrase).strip(" ,."):
        return None
    times = 1
    while pieces and (size := MULTIPLIERS.get(pieces[0].lower().rstrip("."))):
        times *= size
        pieces = pieces[1:]
    if not pieces:
        return times, None
    unit = _product(pieces)
    return None if unit is None else (times, unit)


def _product(pieces: Sequence[str]) -> Unit | None:
    """The unit of words with `per`, `/`, powers, `square` and the like; None where they are a sentence."""
    parts: list[tuple[Unit, int]] = []
    sign, ahead = 1, 1
    for place, piece in enumerate(pieces):
        low = piece.lower()
        if parts and low in ("/", "per", "a", "an"):
            sign = -1
        elif parts and low == "of":
            return None if any(map(stops, pieces[place:])) else _multiplied(parts)
        elif low in _BEFORE:
            ahead = _BEFORE[low]
        elif parts and (low in _AFTER or _POWER.fullmatch(piece)):
            unit, power = parts[-1]
            parts[-1] = unit, power * (_AFTER.get(low) or int(piece.strip("^()")))
        elif low in _IGNORED:
            continue
        elif stops(low) or not (piece[0].isalpha() or piece[0] in _SIGNS) or len(parts) == MOST_WORDS:
            return None
        else:
            parts.append((_word(piece), sign * ahead))
            ahead = 1
    return _multiplied(parts) if parts else None


def _multiplied(parts: list[tuple[Unit, int]]) -> Unit:
    powers: dict[str, int] = {}
    factor = Fraction(1)
    for unit, power in parts:
        factor *= unit.factor**power
        for name, exponent in unit.powers:
            powers[name] = powers.get(name, 0) + exponent * power
    return made_of(powers, factor)


def _word(piece: str) -> Unit:
    word = piece if piece in TABLE else piece.rstrip(".")
    for spelling in (word, singular(word), word.lower(), singular(word.lower())):
        if spelling in TABLE:
            return TABLE[spelling]
    return made_of({singular(word.lower()): 1}, Fraction(1))


def singular(word: str) -> str:
    """An English noun without the ending of its plural, near enough to compare."""
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word
