"""Answers in words: compared as text, letter by letter; never as a product of their letters."""

import re
import unicodedata

_SHORT_WORDS = """
a an am as at be by do go he hi if in is it me my no of oh on or ox pm so to up us we
"""
_SHORT = frozenset(_SHORT_WORDS.split())
_TOKEN = re.compile(r"[^\W\d_]+|\d+|\S")
_INITIAL = re.compile(r"\b([A-Za-z])\.(?=[A-Za-z]\b)")  # of p.m.
_STOP = re.compile(r"(?<=[A-Za-z])\.(?=\s|\Z)")  # of Mr. Green
_ENDS = " .,;:!\"'`*"
_ARTICLES = ("a ", "an ", "the ")
_SAME = {"dne": "does not exist", "d n e": "does not exist", "n / a": "not applicable", "&": "and"}
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-"})


def same(left: str, right: str) -> bool:
    """Whether two texts are the same words."""
    return normal(left) == normal(right) != ""


def normal(text: str) -> str:
    """A text in one spelling: case does not matter in words of three letters and more, nor in short English ones.

    In what is shorter it does: `CO` and `Co`, `A` and `a` are different things.
    """
    text = unicodedata.normalize("NFC", text).translate(_PLAIN).strip(_ENDS).replace("-", " ")
    text = _STOP.sub("", _INITIAL.sub(r"\1", text))
    pieces = [_cased(piece) for piece in _TOKEN.findall(text)]
    plain = " ".join(piece for piece in pieces if piece not in "\"'`").strip(_ENDS)
    for article in _ARTICLES:
        if plain.startswith(article) and len(plain) > len(article) + 1:
            plain = plain[len(article) :]
            break
    return _SAME.get(plain.casefold(), plain)


def _cased(piece: str) -> str:
    low = piece.casefold()
    return low if len(piece) > 2 or low in _SHORT else piece
