r"""`several`: any one of several golds, a JSON list such as `["2", "two"]`, in the last `\boxed{...}`."""

import json

from leap_lab.grading.base import Grader
from leap_lab.grading.equality import same
from leap_lab.grading.kinds.math import boxed, not_an_answer
from leap_lab.tasks.problem import Problem


class SeveralGrader(Grader):
    """Boxes; an answer is right that equals one of the golds."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        return boxed(final, thinking)

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        return any(same(answer, one) for one in items(gold) or ())

    def alike(self, answer: str, other: str, problem: Problem) -> bool:
        return same(answer, other)

    def check_gold(self, problem: Problem) -> str | None:
        golds = items(problem.answer)
        if not golds:
            return 'allowed is a JSON list of texts, such as ["2", "two"]'
        return next(filter(None, map(not_an_answer, golds)), None) or next(
            (f"{one!r} cannot be read from a box" for one in golds if boxed(rf"\boxed{{{one}}}", "") is None), None
        )


def items(gold: str) -> list[str] | None:
    """The texts of a JSON list; None where the gold is none."""
    try:
        found = json.loads(gold, parse_int=str, parse_float=str)
    except ValueError:
        return None
    if not isinstance(found, list) or not all(isinstance(item, str) and item.strip() for item in found):
        return None
    return found


GRADER = SeveralGrader()
