"""Decode a cell: every missing group of every question, a bounded number at a time, each written when it is whole."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from leap_lab.engines.base import Engine
from leap_lab.grading import count_aha, grade
from leap_lab.methods.base import Job, Method
from leap_lab.path import Path, Probe
from leap_lab.problems import Problem
from leap_lab.progress import Progress
from leap_lab.records import RunFolder, rows
from leap_lab.reference import Selection
from leap_lab.tracking import Tracker

TOO_MANY_FAILURES = 8  # after so many failed groups the rest is not tried: the engine is gone


@dataclass
class Tally:
    """What one call decoded."""

    groups: int = 0
    tokens: int = 0
    wall_s: float = 0.0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Decoder:
    """Decodes groups into one run folder and tells tracker and progress of each."""

    method: Method
    folder: RunFolder
    tracker: Tracker
    progress: Progress
    tally: Tally = field(default_factory=Tally)

    async def run(self, jobs: Iterable[Job], engine: Engine, concurrency: int) -> None:
        """Decode all jobs with at most `concurrency` groups in flight; a group that fails is counted and left out."""
        queue = iter(jobs)
        started = time.monotonic()
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(concurrency):
                    workers.create_task(self._work(queue, engine))
        finally:
            self.tally.wall_s = time.monotonic() - started

    async def _work(self, queue: Iterator[Job], engine: Engine) -> None:
        for job in queue:
            if len(self.tally.failures) >= TOO_MANY_FAILURES:
                return
            try:
                await self._one(job, engine)
            except Exception as error:  # one group's failure must not cost the others
                reason = _reason(error)
                self.tally.failures.append(f"question {job.problem.id}, group {job.group}: {reason}")

    async def _one(self, job: Job, engine: Engine) -> None:
        paths = await self.method.solve(job, engine)
        made = await asyncio.to_thread(graded_rows, self.folder.run_id, job.problem, job.group, paths)
        await asyncio.to_thread(self.folder.write_group, made)
        self._tell(made, paths)

    def _tell(self, made: list[dict[str, Any]], paths: list[Path]) -> None:
        tokens = sum(each.sampled for path in paths for each in path.bill)
        correct = sum(row["correct"] for row in made)
        self.tally.groups += 1
        self.tally.tokens += tokens
        self.progress.update(tokens=tokens, correct=correct, paths=len(paths))
        self.tracker.paths(made)
        self.tracker.log(
            {
                "groups": self.tally.groups,
                "pass1_so_far": self.progress.pass1 or 0.0,
                "tokens_per_second": self.progress.tokens_per_second,
            }
        )


def graded_rows(run_id: str, problem: Problem, group: int, paths: list[Path]) -> list[dict[str, Any]]:
    """The rows of a group, graded by each path's own words."""
    for path in paths:
        path.probes = probes(path, problem)
    grades = [grade(path, problem) for path in paths]
    return rows(run_id, problem, group, paths, grades, [count_aha(path.thinking) for path in paths])


def probes(path: Path, problem: Problem) -> list[Probe]:
    """The path's branches, graded."""
    graded = [(branch, grade(branch.path, problem)) for branch in path.branches]
    return [Probe(branch.turn, branch.phase, found.answer, found.correct) for branch, found in graded]


def missing_jobs(selection: Selection, groups: int, peers: int, seed: int, folder: RunFolder) -> list[Job]:
    """The groups that were asked for and are not there yet, earlier questions first."""
    return [
        Job(problem, group, peers, seed, index, index, selection.beginnings(problem, group, peers, seed))
        for index, problem in enumerate(selection.problems)
        for group in range(groups)
        if not folder.has(problem.id, group)
    ]


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):  # a task group wraps what its tasks raised
        error = error.exceptions[0]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
