r"""`text`: words in the last `\boxed{...}`, compared letter by letter; no formula is read into them."""

import re

from leap_lab.grading.base import Grader
from leap_lab.grading.formula import words
from leap_lab.grading.kinds.math import boxed, not_an_answer
from leap_lab.tasks.problem import Problem

_WRAPPER = re.compile(r"\\(?:text[a-z]*|math[a-z]+|mbox|operatorname|boldsymbol|displaystyle|left|right)(?![A-Za-z])")
_SPACING = re.compile(r"\\(?:[ ,;:!]|q?quad(?![A-Za-z]))|~|[{}$]|\s+")


class TextGrader(Grader):
    """Boxes, compared as words."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        return boxed(final, thinking)

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        return words.same(_plain(answer), _plain(gold))

    def check_gold(self, problem: Problem) -> str | None:
        return not_an_answer(problem.answer) or super().check_gold(problem)


def _plain(text: str) -> str:
    return _SPACING.sub(" ", _WRAPPER.sub("", text)).strip()


GRADER = TextGrader()
