"""One group to decode."""

from dataclasses import dataclass

from leap_lab.confidence import OFF, Recording
from leap_lab.tasks.problem import Problem


@dataclass(frozen=True)
class Job:
    """One group to decode: `peers` paths (N) on one question.

    `seed` is that of the run, from which every request derives its own. A lower `priority` is served first; `affinity`
    identifies the question to data-parallel engines. `beginnings` are the token ids that the paths start from, one
    tuple per path, or empty. `recording`: which log-probabilities the run keeps; a method may need others
    (`Method.records`).
    """

    problem: Problem
    group: int
    peers: int
    seed: int
    priority: int = 0
    affinity: int = 0
    beginnings: tuple[tuple[int, ...], ...] = ()
    recording: Recording = OFF
