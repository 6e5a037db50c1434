"""The built-in task: chains of assignments that start from a sum that is easy to get wrong.

A problem is `a=38+27`, then steps such as `b=a-5`, and asks for the last value. The built-in model writes the
first sum as a snap result, and the larger the last digit of the second summand, the more often that is a near miss
(level 1 to 5). A check by parts would show it; all later steps build on it. So an early error is likely, cheap to
verify and fatal, as in the Prefix Dominance Trap.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from leap_lab import checks
from leap_lab.errors import UserError
from leap_lab.seeds import rng_for
from leap_lab.tasks.problem import Problem

Split = Literal["train", "test"]
NAMES = "abcdefghijklmno"
LOWEST, HIGHEST = 20, 89  # the range of all values, so that a near miss has two digits, too
LEVELS = (1, 2, 3, 4, 5)
STEPS = (6, 7, 8, 9, 10)  # the built-in model has seen these


@cache  # every cell of a sweep asks for the same ones, and 2,000 take a second
def generate(
    count: int, seed: int, split: Split = "test", levels: tuple[int, ...] = LEVELS, steps: tuple[int, ...] = STEPS
) -> tuple[Problem, ...]:
    """`count` problems, cycling through the levels; `steps` are the numbers of assignments to draw from (2 to 15).

    A hash of its text decides the split of a problem, so train and test never share one, whatever the seeds.
    """
    seen: set[str] = set()
    problems = []
    for index in range(count):
        rng = rng_for("arithmetic", split, seed, index)
        text, answer = _draw(rng, levels[index % len(levels)], steps, split, seen)
        problems.append(Problem(f"arithmetic-{split}-{seed}-{index}", text, str(answer)))
    return tuple(problems)


def level_of(second: int) -> int:
    """The level of a first sum by its second summand, from 1 (last digit 0 or 1) to 5 (8 or 9)."""
    return second % 10 // 2 + 1


def split_of(text: str) -> Split:
    """One problem in eight is a test problem."""
    return "test" if hashlib.blake2b(text.encode()).digest()[0] % 8 == 0 else "train"


def _draw(rng: Random, level: int, steps: Sequence[int], split: Split, seen: set[str]) -> tuple[str, int]:
    while True:
        text, answer = _chain(rng, level, rng.choice(steps))
        if split_of(text) == split and text not in seen:
            seen.add(text)
            return text, answer


def _chain(rng: Random, level: int, steps: int) -> tuple[str, int]:
    value, lines = _first_sum(rng, level)
    for position in range(1, steps):
        change = rng.choice([c for c in range(-19, 20) if abs(c) >= 2 and LOWEST <= value + c <= HIGHEST])
        sign = "+" if change > 0 else "-"
        lines.append(f"{NAMES[position]}={NAMES[position - 1]}{sign}{abs(change)}")
        value += change
    return "\n".join([*lines, f"What is {NAMES[steps - 1]}?"]), value


def _first_sum(rng: Random, level: int) -> tuple[int, list[str]]:
    while True:
        first, second = rng.randint(11, 78), rng.randint(11, 78)
        if level_of(second) == level and LOWEST <= first + second <= HIGHEST:
            return first + second, [f"a={first}+{second}"]


MOST_MADE = 100_000  # problems of the built-in task


@dataclass(frozen=True)
class Arithmetic:
    """The built-in task (`leap_lab.tasks.arithmetic`): fresh problems of every level."""

    count: int
    seed: int
    split: Literal["train", "test"]
    levels: Sequence[int]
    steps: Sequence[int]

    def load(self) -> list[Problem]:
        """`count` problems; a larger count begins with the same ones."""
        checks.integer("dataset.count", self.count, 1, MOST_MADE)
        checks.integer("dataset.seed", self.seed)
        for key, values, least, most in (("levels", self.levels, 1, 5), ("steps", self.steps, 2, 15)):
            if not isinstance(values, list | tuple) or not values:
                raise UserError(
                    f"dataset.{key}={values}: must be a list of integers from {least} to {most}, as in [{least}]"
                )
            for value in values:
                checks.integer(f"dataset.{key}", value, least, most)
        checks.one_of("dataset.split", self.split, ("train", "test"))
        return list(generate(self.count, self.seed, self.split, tuple(self.levels), tuple(self.steps)))
