r"""`math`: one formula, number or word, in the last `\boxed{...}`; compared by value."""

import re

from leap_lab.grading.base import Grader
from leap_lab.grading.boxes import last_box
from leap_lab.grading.equality import same
from leap_lab.tasks.problem import Problem

MOST_WORDS = 15  # of a gold that is no formula
_SOLUTION = re.compile(
    r"####|\\boxed|<<|\banswer\s*(?::|=|is\b|are\b)|\b(?:the|final) result (?:is|are)\b", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]{2,}")


class MathGrader(Grader):
    """Boxes, compared by `leap_lab.grading.equality`."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        return boxed(final, thinking)

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        return same(answer, gold)

    def check_gold(self, problem: Problem) -> str | None:
        return not_an_answer(problem.answer) or super().check_gold(problem)


def boxed(final: str, thinking: str) -> str | None:
    """What the last box after the thinking states or, where there is none, the last in it."""
    box = last_box(final) or last_box(thinking)
    return box.answer if box else None


def not_an_answer(gold: str) -> str | None:
    """Why a gold is a solution and not its answer; None where it may be one."""
    if found := _SOLUTION.search(gold):
        return f"it holds {found[0]!r}: allowed is the answer alone"
    if len(_WORD.findall(re.sub(r"\\[A-Za-z]+", " ", gold))) > MOST_WORDS:
        return f"it has more than {MOST_WORDS} words: allowed is the answer alone"
    return None


GRADER = MathGrader()
