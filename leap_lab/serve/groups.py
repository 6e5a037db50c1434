"""One group for a question, and what it decides: the answer of most paths, in the words of the shortest of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leap_lab.decoding.decoder import graded_rows
from leap_lab.decoding.tasks import first
from leap_lab.engines.base import Engine
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.settings.cell import Cell
from leap_lab.tasks.problem import Problem

NO_RUN = ""  # the run of a group that is not kept


@dataclass(frozen=True)
class Asked:
    """One group that is wanted: the cell that decodes it, the question, and which of its groups."""

    cell: Cell
    problem: Problem
    group: int


@dataclass(frozen=True)
class Group:
    """A decoded group with its `rows`, one for each path. `chosen` is the place of the path that speaks for it.

    `support` is the share of the vote for its answer; 0 where no path has one.
    """

    asked: Asked
    paths: Sequence[Path]
    rows: Sequence[Mapping[str, Any]]
    chosen: int
    support: float

    @property
    def speaker(self) -> Path:
        return self.paths[self.chosen]

    @property
    def prompt_tokens(self) -> int:
        """The tokens of the question as a path is asked it, once."""
        return len(self.speaker.segments[0].tokens)

    @property
    def sampled(self) -> int:
        """The tokens that the model sampled for the whole group, those of helpers included."""
        return sum(each.sampled for path in self.paths for each in path.billed_paths)


async def decoded(asked: Asked, engine: Engine, priority: int) -> Group:
    """Decode and decide; raises what the engine raises."""
    config = asked.cell.config
    job = Job(asked.problem, asked.group, config["peers"], config["seed"], priority, priority)
    try:
        paths = await asked.cell.method().solve(job, engine)
    except BaseExceptionGroup as group:
        raise first(group) from None
    rows = await asyncio.to_thread(graded_rows, NO_RUN, asked.problem, asked.group, paths)
    return decided(asked, paths, rows)


def decided(asked: Asked, paths: Sequence[Path], rows: Sequence[Mapping[str, Any]]) -> Group:
    """The group's decision: most votes; of answers with as many, that of the shorter path."""
    weights = [1.0 if (weight := path.weight) is None else float(weight) for path in paths]
    votes: dict[int, float] = {}
    for row, weight in zip(rows, weights, strict=True):
        if row["cluster"] is not None:
            votes[row["cluster"]] = votes.get(row["cluster"], 0.0) + weight
    most = max(votes.values(), default=0.0)
    wanted = [place for place, row in enumerate(rows) if votes and votes.get(row["cluster"], -1.0) == most]
    counted = [place for place in wanted if weights[place] > 0]
    chosen = min(counted or wanted or range(len(paths)), key=lambda place: (paths[place].sampled, place))
    total = sum(votes.values())
    return Group(asked, paths, rows, chosen, most / total if total else 0.0)
