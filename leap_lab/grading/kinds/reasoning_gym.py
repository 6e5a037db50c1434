r"""`reasoning_gym`: what the last `\boxed{...}` holds, right where the scorer of its task gives it a full score."""

import json
from typing import Any

from leap_lab.errors import UserError
from leap_lab.grading.base import Grader
from leap_lab.grading.kinds.math import boxed
from leap_lab.tasks.gym import entries_of
from leap_lab.tasks.problem import Problem

FULL = 1 - 1e-9


class GymGrader(Grader):
    """The package's own scorers; part of a score counts as wrong."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        return boxed(final, thinking)

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        made: dict[str, Any] = json.loads(gold)
        right, index = made.pop("answer"), made.pop("index")
        entries = entries_of(**made)
        entry = entries[index]
        if entry["answer"] != right:
            raise UserError(f"question {problem.id}: this version of reasoning-gym makes another problem of it")
        return float(entries.score_answer(answer, entry)) >= FULL

    def alike(self, answer: str, other: str, problem: Problem) -> bool:
        return answer.split() == other.split()  # the scorers compare with the right answer alone

    def written(self, gold: str, problem: Problem) -> str:
        return rf"\boxed{{{json.loads(gold)['answer']}}}"


GRADER = GymGrader()
