r"""Whether two answers are the same: text as text, numbers exactly, formulas by value, the rest by math-verify.

Most pairs are settled here. What needs many digits or math-verify goes to a process of its own
(`leap_lab.grading.checker`), where the same comparison runs with an oracle that computes.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from leap_lab.grading.checker import CHECKER
from leap_lab.grading.formula import words
from leap_lab.grading.formula.compare import Comparison
from leap_lab.grading.formula.parser import parse, trimmed
from leap_lab.grading.formula.tokens import Foreign, Token, Unreadable, tokens
from leap_lab.grading.formula.tree import Group, Node
from leap_lab.grading.formula.verdicts import Exact, Oracle, Verdict

LONGEST = 2_000  # characters of an answer or a gold; a longer one equals itself alone
_LABEL = re.compile(  # the (B) of \textbf{(B)}\ 12
    r"\s*\\(?:textbf|text|mathrm|mathbf|mathsf)\s*\{\s*\(?[A-J][).:]\s*\}(?:\\[ ,;:]|~|\s|\\quad)*(?=[\w\\$({.-])"
)
_LEAD = re.compile(  # words that announce an answer
    r"\s*(?:\\text\s*\{\s*)?(?:the )?(?:final )?answer(?: is)?\s*[:=]?\s*\}?(?=[\s\\$\d(-])", re.IGNORECASE
)
_WRAPPED = re.compile(r"\\(?:text|mathrm|textbf|mathbf|boldsymbol)\s*\{([^{}]*)\}")
_WORDY = re.compile(r"[A-Za-z][./]?[A-Za-z]")


def same(answer: str, gold: str) -> bool:
    """Whether the two are equal. May wait for the checker: call it off the event loop."""
    verdict = quick(answer, gold)
    return _asked(answer, gold) if verdict is None else verdict


@lru_cache(maxsize=4096)
def _asked(answer: str, gold: str) -> bool:
    """The paths of a question often agree, so one question is asked once."""
    return CHECKER.equal(answer, gold)


def quick(answer: str, gold: str) -> Verdict:
    """What can be said without computing: True, False, or None."""
    return settle(answer, gold, Exact())


def settle(answer: str, gold: str, oracle: Oracle) -> Verdict:
    """What an oracle makes of the two; None where it cannot tell, or where a side is math-verify's to read."""
    if not answer.strip() or not gold.strip():
        return False
    if answer.strip() == gold.strip():
        return True
    if max(len(answer), len(gold)) > LONGEST:
        return False
    try:
        left, right = Reading(answer), Reading(gold)
    except (Unreadable, RecursionError):
        return False
    if left.signs == right.signs or left.says(right):
        return bool(left.signs)
    try:
        return _compared(left, right, oracle)
    except RecursionError:
        return False


def _compared(left: "Reading", right: "Reading", oracle: Oracle) -> Verdict:
    comparison = Comparison(oracle)
    unknown = False
    for one, other in _pairs(left, right):
        verdict = comparison.same(one, other)
        if verdict:
            return True
        unknown |= verdict is None
    return None if unknown or left.foreign or right.foreign else False


def is_foreign(answer: str, gold: str) -> bool:
    """Whether a side is a formula that only math-verify may know, and neither is anything else."""
    sides = Reading(answer), Reading(gold)
    return any(side.foreign for side in sides) and all(side.foreign or side.trees for side in sides)


def _pairs(left: "Reading", right: "Reading") -> Iterator[tuple[Node, Node]]:
    """The readings of both that go together."""
    for mode in ("plain", "unitless"):
        one, other = left.tree(mode), right.tree(mode)
        if one is not None and other is not None:
            yield one, other
    one, other = left.tree("plain"), right.tree("plain")
    if left.as_list is not None and isinstance(other, Group):
        yield left.as_list, other
    if right.as_list is not None and isinstance(one, Group):
        yield one, right.as_list
    if left.unlabelled is not None and right.tree("plain") is not None:
        yield left.unlabelled, right.trees["plain"]


class Reading:
    """A text as tokens, and what trees it can be read as."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = trimmed(tokens(text))
        self.signs = [_unspaced(token) for token in self.found]
        self.foreign = False
        self.trees: dict[str, Node] = {}
        self.as_list: Node | None = None
        self.unlabelled: Node | None = None
        guessed = self._read("plain", with_units=True)
        if guessed:
            self._read("unitless", with_units=False)
        if any(token.kind == "number" and "," in token.text for token in self.found):
            self.as_list = _tree(text, split=True)
        if label := _LABEL.match(text) or _LEAD.match(text):
            self.unlabelled = _tree(text[label.end() :])

    def _read(self, mode: str, with_units: bool) -> bool:
        try:
            self.trees[mode], guessed = parse(self.text, with_units)
        except Foreign:
            self.foreign = True
            return False
        except Unreadable:
            return mode == "plain"
        return guessed

    def tree(self, mode: str) -> Node | None:
        """The tree of a mode; the plain one where the mode makes no difference."""
        return self.trees.get(mode) or self.trees.get("plain")

    def says(self, other: "Reading") -> bool:
        """Whether both are the same words."""
        one, two = self.words(), other.words()
        return one is not None and two is not None and words.same(one, two)

    def words(self) -> str | None:
        """The text in plain letters, where it is one: no commands, no powers, at least a word of two letters."""
        text, before = "", ""
        for token in self.found:
            indexed = token.text == "_" and before in ("letters", "roman", "text")  # CO_2 as CO2
            if token.kind not in _PLAIN and token.text not in _IN_TEXT and not indexed:
                return None
            if not indexed and token.text not in ("{", "}"):
                text += (" " if token.spaced or token.kind == "text" else "") + token.text
                before = token.kind
        return text if _WORDY.search(text) else None


_PLAIN = frozenset(["letters", "roman", "text", "number"])
_IN_TEXT = frozenset([*"-'.,:;!?()&\"`/", "and", "{", "}"])


def _unspaced(token: Token) -> tuple[str, str]:
    return token.kind, token.text


def _tree(text: str, split: bool = False) -> Node | None:
    try:
        return parse(text, split=split)[0]
    except Unreadable:
        return None


def items_of(text: str) -> list[str]:
    """The items of a list, a tuple or a set, in the order in which they stand there, as texts."""
    inner = text.strip().removeprefix("$").removesuffix("$").strip()
    if wrapped := _WRAPPED.fullmatch(inner):
        inner = wrapped[1].strip()
    for left, right in (("\\left", "\\right"), ("", "")):
        for open_, close in (("(", ")"), ("[", "]"), ("\\{", "\\}"), ("\\langle", "\\rangle")):
            if inner.startswith(left + open_) and inner.endswith(right + close) and _one_group(inner, left + open_):
                return _split(inner[len(left + open_) : len(inner) - len(right + close)])
    return _split(inner)


def _one_group(text: str, open_: str) -> bool:
    """Whether the bracket that a text begins with is closed by its last sign alone."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and place >= len(open_) - 1 and place < len(text) - 1 and not text[place:].startswith("\\"):
            return "\\langle" in open_ or place >= len(text) - 1
    return True


def _split(text: str) -> list[str]:
    """The pieces between commas and semicolons outside brackets; a comma of thousands is none."""
    pieces, depth, start = [], 0, 0
    spaced = re.search(r"[,;]\s", text) is not None
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in ",;" and text[place - 1 : place] != "\\":
            if spaced and re.match(r",\d{3}(?!\d)", text[place:]) and text[:place][-1:].isdigit():
                continue
            pieces.append(text[start:place])
            start = place + 1
    return [piece.strip() for piece in [*pieces, text[start:]] if piece.strip()]
