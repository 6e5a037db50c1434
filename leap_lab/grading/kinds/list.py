r"""`list`: several values in order, a JSON list such as `["1", "\\frac{1}{2}"]`, in the last `\boxed{...}`."""

from leap_lab.grading.base import Grader
from leap_lab.grading.equality import items_of, same
from leap_lab.grading.kinds.math import boxed, not_an_answer
from leap_lab.grading.kinds.several import items
from leap_lab.tasks.problem import Problem


class ListGrader(Grader):
    """Boxes; an answer is right that has as many items as the gold, each equal to the one in its place."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        return boxed(final, thinking)

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        golds, answers = items(gold) or [], items_of(answer)
        return len(golds) == len(answers) and all(map(same, answers, golds))

    def alike(self, answer: str, other: str, problem: Problem) -> bool:
        left, right = items_of(answer), items_of(other)
        return answer == other or (len(left) == len(right) and all(map(same, left, right)))

    def written(self, gold: str, problem: Problem) -> str:
        return rf"\boxed{{{', '.join(items(gold) or [gold])}}}"

    def check_gold(self, problem: Problem) -> str | None:
        golds = items(problem.answer)
        if not golds:
            return 'allowed is a JSON list of texts, such as ["1", "2"]'
        return next(filter(None, map(not_an_answer, golds)), None) or super().check_gold(problem)


GRADER = ListGrader()
