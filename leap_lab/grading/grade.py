"""The final answer out of a path's own words, and whether it is right.

Only what the path wrote itself is read, after its thinking and then in it: a peer's comment can hold any number of
answers. How answers are read and compared is the grader's of the problem's kind (`leap_lab.grading.base`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leap_lab.errors import UserError, brief
from leap_lab.grading.base import grader_of
from leap_lab.path import Path
from leap_lab.prompts import THINK_CLOSE
from leap_lab.tasks.problem import Problem

Note = Literal["clean", "recovered", "none"]

# Reflection keywords ("aha" moments): words with which a path turns back on itself.
AHA = re.compile(
    r"\b(?:wait|hmm+|hold on|aha|on second thought|let me (?:double[- ]?check|re-?check|verify|re-?consider|re-?think)"
    r"|let's (?:double[- ]?check|verify|reconsider)|i made a mistake|that's not right|actually)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Grade:
    """A path's answer, None when it gave none, and whether it is right.

    `note` says where the answer stood: `clean` after the thinking, `recovered` only in it, `none` nowhere.
    """

    answer: str | None
    correct: bool
    note: Note = "clean"


def grade(path: Path, problem: Problem) -> Grade:
    """Grade a path by its own words. May wait for the checker: call it off the event loop, from any thread.

    A path that its method stopped has no answer, whatever stands in its thinking.
    """
    if path.finish == "stopped":
        return Grade(None, False, "none")
    answer, note = read(path.final, path.thinking, problem)
    return Grade(answer, answer is not None and equal(answer, problem), note)


def read(final: str, thinking: str, problem: Problem) -> tuple[str | None, Note]:
    """The answer of a response, and where it stood.

    Words before a `</think>` belong to the thinking, wherever they stand.
    """
    if THINK_CLOSE in final or THINK_CLOSE in thinking:
        thinking, _, final = (thinking + final).rpartition(THINK_CLOSE)
    grader = grader_of(problem.kind)
    if (answer := grader.extract(final, "", problem)) is not None:
        return answer, "clean"
    answer = grader.extract(final, thinking, problem)
    return answer, "none" if answer is None else "recovered"


def equal(answer: str, problem: Problem) -> bool:
    """Whether an answer is right."""
    return grader_of(problem.kind).equal(answer, problem.answer, problem)


def alike(answer: str, other: str, problem: Problem) -> bool:
    """Whether two answers are one in a vote, whatever the right answer is."""
    return grader_of(problem.kind).alike(answer, other, problem)


def check_golds(problems: Sequence[Problem], source: str) -> None:
    """Raise the `UserError` that names the first problem whose gold no answer could equal.

    `source` is what the user gave, such as `dataset.path=questions.jsonl`; rows are counted from 1.
    """
    for row, problem in enumerate(problems, start=1):
        try:
            reason = grader_of(problem.kind).check_gold(problem)
        except UserError as error:
            raise UserError(f"{source}, row {row} (id {brief(problem.id)}): {error}") from error
        if reason:
            raise UserError(
                f"{source}, row {row} (id {brief(problem.id)}): answer {brief(repr(problem.answer))}: {reason}"
            )


def count_aha(text: str) -> int:
    """How many reflection keywords (`AHA`) the text holds, as whole words in any case."""
    return sum(1 for _ in AHA.finditer(text))
