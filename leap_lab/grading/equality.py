r"""Whether two answers are the same: numbers exactly, anything else by math-verify as one whole formula.

No answer is right because the right one stands somewhere in it.
"""

import re
from functools import lru_cache

from leap_lab.grading.checker import CHECKER

_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|boldsymbol|bm|operatorname)\s*\{([^{}]*)\}")
_MATH_SIGNS = re.compile(r"\\\$|\$|(?<!\\)\\[()\[\]]")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]+")
_GROUP = re.compile(r"(?<=[0-9])(?:,|\{,\}|,?\\[,!;:]|\\? |~)(?=[0-9]{3}(?![0-9]))")  # between thousands
_NUMBER = re.compile(r"([+-]?) ?(?:([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")
_SPACING = re.compile(r"\\(?:quad|qquad|[,;:! ])|~")
_UNSOUND = re.compile(  # math-verify would drop these, or add up what they keep apart
    r"\b(?:not|no|isn't|wrong|incorrect|never|nor|neither|none|false)\b|\\not|\\boxed|\\[lc]?dots|\.\.\.|…"
    r"|[0-9)}]_(?!\{?10\b)|[0-9] +[0-9]"
)


def same(answer: str, gold: str) -> bool:
    """Whether the two are equal. May wait for math-verify: call it off the event loop."""
    left, right = bare(answer), bare(gold)
    if not left or not right:
        return False
    if left == right:
        return True
    first, second = _exact(left), _exact(right)
    if first is not None and second is not None:
        return first == second
    left, right = (_SPACES.sub(" ", _SPACING.sub(" ", side)).strip() for side in (left, right))
    if _UNSOUND.findall(left.lower()) != _UNSOUND.findall(right.lower()):
        return False
    return _by_math_verify(left, right)


def number(text: str) -> str | None:
    """The number that a text is, in one spelling and exact at any length; None when it is anything more or less.

    A sign, leading zeros, thousands separators in their places, a currency sign and decimals are allowed: `-1{,}050.0`
    is `-1050`.
    """
    return _exact(bare(text))


def bare(text: str) -> str:
    """Without the dress that does not change an answer: dollar signs, a wrapper around all of it, a full stop."""
    plain = _SPACES.sub(" ", _MATH_SIGNS.sub(" ", text.replace("\N{MINUS SIGN}", "-"))).strip(" ")
    if wrapped := _WRAPPED.fullmatch(plain.rstrip(". ")):  # a unit keeps its wrapper, by which math-verify knows it
        plain = wrapped[1].strip()
    return plain if plain.endswith("...") else plain.rstrip(".;, ")


def _exact(plain: str) -> str | None:
    found = _NUMBER.fullmatch(_GROUP.sub(",", plain.lstrip("€£ ")))
    if found is None:
        return None
    sign, whole, decimals, only_decimals = found.groups(default="")
    digits = whole.replace(",", "").lstrip("0") or "0"
    fraction = (decimals or only_decimals).rstrip("0")
    size = f"{digits}.{fraction}" if fraction else digits
    return f"-{size}" if sign == "-" and size != "0" else size


@lru_cache(maxsize=4096)
def _by_math_verify(answer: str, gold: str) -> bool:
    """The paths of a question often agree, so one question is asked once."""
    return CHECKER.equal(answer, gold)
