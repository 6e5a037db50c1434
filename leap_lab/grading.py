r"""The final answer out of a path's own words, and whether it is right.

Only what the path wrote itself is read (`Path.final`, then `Path.thinking`): a peer's comment can hold any number of
boxed answers. A box is `\boxed{...}` with balanced braces (`\{` and `\}` do not count); the last one decides, and when
it is never closed there is no answer, whatever came before it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from leap_lab.equality import CHECKER
from leap_lab.path import Path
from leap_lab.problems import Problem
from leap_lab.prompts import THINK_CLOSE

AnswerKind = Literal["math", "choice"]
BOX = r"\boxed"
LONGEST = 2_000  # characters of an answer; a longer one is no answer

# Reflection keywords ("aha" moments): words with which a path turns back on itself.
AHA = re.compile(
    r"\b(?:wait|hmm+|hold on|aha|on second thought|let me (?:double[- ]?check|re-?check|verify|re-?consider|re-?think)"
    r"|let's (?:double[- ]?check|verify|reconsider)|i made a mistake|that's not right|actually)\b",
    re.IGNORECASE,
)

_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|boldsymbol|bm|operatorname)\s*\{([^{}]*)\}")
_INTEGER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)")
_NAMED = re.compile(r"[\"'*_]{0,3}ANSWER[\"'*_]{0,3}\s*[:=]\s*[\"'*_$\s(\[]{0,6}([A-Z])(?!\w|['’]\w|\s+[a-z])")
_NAMED_LOOSE = re.compile(
    r"\b[Aa]nswer(?:[\"'*_]{0,3}\s*[:=]|\s+(?:is|must be|should be|would be)\s*:?)\s*"
    r"(?:(?:option|choice)\s+)?[\"'*_$\s(\[]{0,6}([A-Z])(?!\w|['’]\w|\s+[a-z])"
)
_CLOSING_PARENTHESES = re.compile(r"\(([A-Z])\)[\s.*_$]*\Z")
_ALONE = re.compile(r"\A[\s*_$(\[]*([A-Z])[\s.*_$)\]]*\Z")
_BOXED_LETTER = re.compile(r"\A[\s*_$(\[{]*([A-Z])(?:[\s.*_$)\]}]*\Z|[.):]\s)")


@dataclass(frozen=True)
class Grade:
    """A path's answer, None when it gave none, and whether it is right."""

    answer: str | None
    correct: bool


def grade(path: Path, problem: Problem) -> Grade:
    """Grade a path by its own words. May wait for math-verify: call it off the event loop."""
    letters = len(problem.options) or 26
    answer = extract(path.final, path.thinking, problem.kind, letters)
    return Grade(answer, answer is not None and equal(answer, problem.answer, problem.kind))


def extract(final: str, thinking: str = "", kind: AnswerKind = "math", letters: int = 26) -> str | None:
    """The answer after the thinking or, where nothing there looks like one, in it.

    For a choice it is a letter, one of the first `letters`.
    """
    final = final.rpartition(THINK_CLOSE)[2]
    for text in (final, thinking):
        found, answer = _choice(text, letters) if kind == "choice" else _boxed(text)
        if found:
            return answer
    return None


def equal(answer: str, gold: str, kind: AnswerKind = "math") -> bool:
    """Integers exactly, letters as letters, anything else by math-verify; never by substring."""
    if kind == "choice":
        return answer.strip().upper() == gold.strip().upper()
    left, right = integer(answer), integer(gold)
    if left is not None and right is not None:
        return left == right
    return CHECKER.equal(_bare(answer), _bare(gold))


def integer(text: str) -> int | None:
    """The integer that a text is: sign, leading zeros and thousands separators allowed, nothing else beside it."""
    bare = _bare(text).replace("{,}", ",").replace(r"\,", "").replace(r"\!", "").replace(" ", "")
    return int(bare.replace(",", "")) if _INTEGER.fullmatch(bare) and bare.isascii() else None


def count_aha(text: str) -> int:
    """How many reflection keywords the text holds."""
    return len(AHA.findall(text))


def _boxed(text: str) -> tuple[bool, str | None]:
    """Whether there is a box, and what the last one holds: None when it is unclosed or empty."""
    start = text.rfind(BOX)
    while start >= 0 and not (opening := re.match(r"\s*\{", text[start + len(BOX) : start + len(BOX) + 8])):
        start = text.rfind(BOX, 0, start)
    if start < 0:
        return False, None
    content = _balanced(text, start + len(BOX) + opening.end())
    answer = (content or "").strip()
    return True, answer if answer and len(answer) <= LONGEST else None


def _balanced(text: str, start: int) -> str | None:
    """What stands before the brace that closes the one before `start`; None when nothing closes it."""
    depth, position = 1, start
    for brace in re.finditer(r"\\.|[{}]", text[start:], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        position = start + brace.start()
        if depth == 0:
            return text[start:position]
    return None


def _choice(text: str, letters: int) -> tuple[bool, str | None]:
    """The letter that is named last in one of the usual forms."""
    allowed = {chr(ord("A") + index) for index in range(letters)}
    named = [(match.start(), match[1]) for form in (_NAMED, _NAMED_LOOSE) for match in form.finditer(text)]
    found, content = _boxed(text)
    if found:
        letter = _BOXED_LETTER.match(_bare(content or ""))
        named.append((text.rfind(BOX), letter[1] if letter else ""))
    if not named:
        named = [(0, match[1]) for form in (_CLOSING_PARENTHESES, _ALONE) if (match := form.search(text))]
    if not named:
        return False, None
    letter_named = max(named)[1]
    return True, letter_named if letter_named in allowed else None


def _bare(text: str) -> str:
    """Without the dress that does not change an answer: dollar signs, text wrappers, a full stop at the end."""
    text = _WRAPPED.sub(r"\1", text).strip().strip("$").strip()
    return text.removesuffix(".").strip()
