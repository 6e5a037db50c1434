r"""The final answer out of a path's own words, and whether it is right.

Only what the path wrote itself is read, after its thinking and then in it: a peer's comment can hold any number of
boxed answers. A box is `\boxed{...}` with balanced braces (`\{` and `\}` do not count). The last one decides: when it
is never closed, is empty or lacks its braces (`\boxed 5`), there is no answer, whatever came before it. `\boxed` in
prose (`as asked in \boxed`) and `\fbox` are no boxes.
"""

import re
from dataclasses import dataclass
from typing import Literal

from leap_lab.grading import choices
from leap_lab.grading.equality import same
from leap_lab.path import Path
from leap_lab.prompts import THINK_CLOSE
from leap_lab.tasks.problem import LETTERS, Problem

AnswerKind = Literal["math", "choice"]
LONGEST = 2_000  # characters of an answer; a longer one is no answer

# Reflection keywords ("aha" moments): words with which a path turns back on itself.
AHA = re.compile(
    r"\b(?:wait|hmm+|hold on|aha|on second thought|let me (?:double[- ]?check|re-?check|verify|re-?consider|re-?think)"
    r"|let's (?:double[- ]?check|verify|reconsider)|i made a mistake|that's not right|actually)\b",
    re.IGNORECASE,
)

_BOX = re.compile(r"\\boxed(?:\s*(\{)|\s*(?=[-+0-9]|\\[A-Za-z]))")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


@dataclass(frozen=True)
class Grade:
    """A path's answer, None when it gave none, and whether it is right."""

    answer: str | None
    correct: bool


@dataclass(frozen=True)
class Statement:
    """A place where a text states an answer; None when what stands there is none."""

    answer: str | None


def grade(path: Path, problem: Problem) -> Grade:
    """Grade a path by its own words. May wait for math-verify: call it off the event loop, from any thread."""
    letters = len(problem.options) or len(LETTERS)
    answer = extract(path.final, path.thinking, problem.kind, letters)
    return Grade(answer, answer is not None and equal(answer, problem.answer, problem.kind))


def extract(final: str, thinking: str = "", kind: AnswerKind = "math", letters: int = len(LETTERS)) -> str | None:
    """The answer after the thinking or, where nothing there looks like one, in it.

    Words before a `</think>` belong to the thinking, wherever they stand. For a choice the answer is a letter, one of
    the first `letters`.
    """
    if THINK_CLOSE in final or THINK_CLOSE in thinking:
        thinking, _, final = (thinking + final).rpartition(THINK_CLOSE)
    for text in (final, thinking):
        if statement := _choice(text, letters) if kind == "choice" else _boxed(text)[1]:
            return statement.answer
    return None


def equal(answer: str, gold: str, kind: AnswerKind = "math") -> bool:
    """Letters as letters, numbers exactly, anything else by math-verify; never by substring."""
    if kind == "choice":
        return answer.strip().upper() == gold.strip().upper()
    return same(answer, gold)


def count_aha(text: str) -> int:
    """How many reflection keywords (`AHA`) the text holds, as whole words in any case."""
    return sum(1 for _ in AHA.finditer(text))


def _boxed(text: str) -> tuple[int, Statement | None]:
    """Where the last box begins, and what it states; -1 and None when there is no box."""
    start = len(text)
    while (start := text.rfind(r"\boxed", 0, start)) >= 0:
        if box := _BOX.match(text, start):
            content = _balanced(text, box.end()) if box[1] else None
            answer = (content or "").strip()
            return start, Statement(answer if 0 < len(answer) <= LONGEST else None)
    return -1, None


def _balanced(text: str, start: int) -> str | None:
    """What stands before the brace that closes the one before `start`; None when nothing closes it."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[start : brace.start()]
    return None


def _choice(text: str, letters: int) -> Statement | None:
    """The letter that is named last; a closed box without a letter, such as a result, names none."""
    start, box = _boxed(text)
    boxed = choices.boxed(box.answer) if box and box.answer else None
    named = choices.stated(text)
    if box and (boxed or box.answer is None) and start > (named[0] if named else -1):
        letter = boxed
    elif named:
        letter = named[1]
    else:
        letter = choices.last_line(text)
        if letter is None and box is None:
            return None
    return Statement(letter if letter and letter in LETTERS[:letters] else None)
