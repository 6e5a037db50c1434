"""`choice`: the letter of one of the problem's options."""

from leap_lab.grading.base import Grader
from leap_lab.grading.choices import choice
from leap_lab.tasks.problem import LETTERS, Problem


class ChoiceGrader(Grader):
    """Letters (`leap_lab.grading.choices`)."""

    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        letters = len(problem.options) or len(LETTERS)
        for text in (final, thinking):
            if chosen := choice(text, letters, problem.options):
                return chosen.letter
        return None

    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        return answer.strip().upper() == gold.strip().upper()

    def written(self, gold: str, problem: Problem) -> str:
        return f"ANSWER: {gold}"


GRADER = ChoiceGrader()
