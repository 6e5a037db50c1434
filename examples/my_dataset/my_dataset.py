"""A data set of your own: a number doubled, then changed twice; as many questions as you like."""

from dataclasses import dataclass

from leap_lab import checks
from leap_lab.tasks.problem import Problem


@dataclass(frozen=True)
class Doubles:
    """`count` questions, of the numbers from `first` on."""

    count: int
    first: int

    def load(self) -> list[Problem]:
        """All problems, in an order that never changes: runs know them by their ids."""
        checks.integer("dataset.count", self.count, 1, 30)
        checks.integer("dataset.first", self.first, 11, 15)
        return [self._problem(number) for number in range(self.first, self.first + self.count)]

    @staticmethod
    def _problem(number: int) -> Problem:
        text = f"a={number}+{number}\nb=a-3\nc=b+7\nWhat is c?"
        return Problem(f"doubles-{number}", text, str(2 * number + 4))
