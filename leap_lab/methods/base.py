"""What a decoding method is: it turns one question into a group of N paths."""

from dataclasses import dataclass
from typing import Protocol

from leap_lab.engines.base import Engine
from leap_lab.path import Path
from leap_lab.tasks.problem import Problem


@dataclass(frozen=True)
class Job:
    """One group to decode: `peers` paths (N) on one question.

    `seed` is the run's, from which every request derives its own. A lower `priority` is served first; `pin` names the
    question to data-parallel engines. `beginnings` are token ids that the paths start from, one a path, or none.
    """

    problem: Problem
    group: int
    peers: int
    seed: int
    priority: int = 0
    pin: int = 0
    beginnings: tuple[tuple[int, ...], ...] = ()


class Method(Protocol):
    """A way to spend tokens on a question."""

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode a group; every path comes back with a finish."""
        ...
