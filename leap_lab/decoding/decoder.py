"""Decode one run: its missing groups, each graded and written as soon as it is complete.

`scheduler.Scheduler` decides when a group is decoded; it feeds the groups of several runs to one engine.
"""

import asyncio
import pathlib
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from leap_lab.decoding.recorder import Extent, Recorder, Summarize, Tally
from leap_lab.decoding.regrade import clustered, regrade
from leap_lab.decoding.tasks import first, to_its_end
from leap_lab.engines.base import EngineDied, TooLong
from leap_lab.engines.journaled import Journaled
from leap_lab.engines.metered import Metered
from leap_lab.engines.retrying import Retrying
from leap_lab.errors import brief, one_line
from leap_lab.files import escaped
from leap_lab.grading.grade import count_aha, grade
from leap_lab.methods.job import Job
from leap_lab.path import Path, Probe
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.groupfile import Stamp
from leap_lab.runs.reference import Selection
from leap_lab.runs.rows import rows
from leap_lab.settings.cell import Cell
from leap_lab.tasks.problem import Problem

TOO_MANY_FAILURES = 8  # after this many failed groups of a run the rest is not tried


@dataclass
class WantedRun:
    """A run that is wanted: its cell, and which groups of which questions."""

    cell: Cell
    selection: Selection
    groups: dict[tuple[str, int], Problem] = field(default_factory=dict)  # by question id and group, in order

    @property
    def questions(self) -> list[str]:
        """The ids of the questions, in order."""
        return list(dict.fromkeys(question for question, _ in self.groups))

    @property
    def per_question(self) -> int:
        """The largest number of groups that is wanted of any question."""
        return max((group for _, group in self.groups), default=-1) + 1


class Decoder:
    """One run while it is decoded: `open`, `start`, `decode` each job from `next`, `close`.

    All but `next` and `decode` wait for the disk and the tracker, and may be called in a thread.
    """

    def __init__(self, wanted: WantedRun, label: str, sweep: str | None, summarize: Summarize) -> None:
        self.wanted, self.label = wanted, label
        self._sweep, self._summarize = sweep, summarize
        self._config, self._method = wanted.cell.recorded, wanted.cell.method()
        self._missing: deque[tuple[str, int]] = deque()
        self._numbers = {question: number for number, question in enumerate(wanted.questions)}
        self._in_flight = 0
        self._recorder: Recorder | None = None

    @property
    def tally(self) -> Tally:
        """What this call decoded."""
        return self._recorder.tally if self._recorder else Tally()

    def open(self) -> bool:
        """Open the run folder and find the missing groups; False when there are none."""
        wanted = self.wanted
        self.folder = RunFolder.open(self._config["runs_dir"], wanted.cell.identity, _portable(self._config))
        extent = Extent(wanted.questions, wanted.per_question, len(wanted.groups))
        self._recorder = Recorder(wanted.cell, self.folder, extent, self._summarize)
        try:
            self._find_missing()
        except BaseException:
            self.folder.close()
            raise
        if not self._missing:
            message = f"all {len(wanted.groups)} groups are in {self.folder.path}; nothing to decode"
            print(f"{self.label}: {message}", file=sys.stderr)
        return bool(self._missing)

    def _find_missing(self) -> None:
        """Sort what is there: groups of other questions are set aside, those with another right answer graded again."""
        questions = {problem.id: problem for problem in self.wanted.cell.questions()}
        self._contents = {
            question: self.wanted.selection.content(questions[question]) for question in self.wanted.questions
        }
        self.folder.set_aside(lambda stamp: self._is_current(stamp, questions))
        for question, group in self.wanted.groups:
            if not self.folder.has(question, group, self._contents[question]):
                self._missing.append((question, group))
        if count := regrade(self.folder, questions):
            print(f"{self.label}: right answers have changed; {count} groups were graded again", file=sys.stderr)
        for key in self.wanted.groups.keys() - set(self._missing):
            self._journal(*key).unlink(missing_ok=True)

    def _is_current(self, stamp: Stamp, questions: Mapping[str, Problem]) -> bool:
        """Whether a group is of a question as it is now; one that is not wanted here may have any beginnings."""
        if not stamp.content or stamp.question_id not in questions:
            return not stamp.content
        if wanted := self._contents.get(stamp.question_id):
            return stamp.content == wanted
        return stamp.content.partition(".")[0] == questions[stamp.question_id].content

    @property
    def missing(self) -> int:
        """The number of groups that `next` has not returned yet."""
        return len(self._missing)

    def start(self, engine: Metered | None) -> None:
        """Start decoding on this engine; None where only run.json is missing."""
        if engine is not None:
            self._engine = Retrying(engine)
        self._running.begin(engine, self.missing, self.label, self._sweep)

    def next(self, priority: int) -> Job | None:
        """The next group to decode, None when there are no more."""
        if not self._missing or self._gave_up:
            return None
        self._in_flight += 1
        question, group = self._missing.popleft()
        problem, peers, seed = self.wanted.groups[question, group], self._config["peers"], self._config["seed"]
        beginnings = self.wanted.selection.beginnings(problem, group, peers, seed)
        number, recording = self._numbers[question], self.wanted.cell.recording
        return Job(problem, group, peers, seed, priority, number, beginnings, recording)

    @property
    def _running(self) -> Recorder:
        assert self._recorder is not None, "open comes first"
        return self._recorder

    @property
    def _gave_up(self) -> bool:
        return len(self.tally.failures) >= TOO_MANY_FAILURES

    @property
    def is_done(self) -> bool:
        """Whether every job is done and `next` will return no other."""
        return not self._in_flight and (not self._missing or self._gave_up)

    async def decode(self, job: Job) -> None:
        """Decode a group and write it; one that fails is counted and left out. Raises `EngineDied`."""
        try:
            await self._one(job)
        except Exception as error:  # one group's failure must not cost the others
            cause = first(error)
            if isinstance(cause, EngineDied):
                raise cause from None
            reason = f"{type(cause).__name__}: {one_line(cause, 200)}"
            told = self.tally.left_out if isinstance(cause, TooLong) else self.tally.failures
            told.append(f"question {brief(job.problem.id)}, group {job.group}: {reason}")
        self._in_flight -= 1  # a job that was cancelled, or whose engine died, stays in flight

    def close(self) -> None:
        """Finish the record of the run and release its folder."""
        try:
            self._finish()
        finally:
            with suppress(OSError):
                self._journals.rmdir()  # only if it is empty
            self.folder.close()

    def _finish(self) -> None:
        recorder = self._running
        if not recorder.began and self._missing:
            return  # stopped before the run began
        if not recorder.began:
            if self.folder.read_run().get("status") == "finished":
                recorder.write_metrics()
                return
            self.start(None)
        if self._gave_up:
            print(f"{self.label}: {len(self.tally.failures)} groups failed; the rest was not tried", file=sys.stderr)
        failed = self.tally.failures or not any(self.folder.stamps())  # no group at all: no question fits the context
        recorder.end("interrupted" if not self.is_done else "failed groups" if failed else "finished")

    async def _one(self, job: Job) -> None:
        if not self._config["journal"]:
            await self._write(job, await self._method.solve(job, self._engine))
            return
        journal = Journaled(self._engine, self._journal(job.problem.id, job.group))
        try:
            await self._write(job, await self._method.solve(job, journal))
            journal.discard()
        finally:
            journal.stop()

    async def _write(self, job: Job, paths: list[Path]) -> None:
        written = await asyncio.to_thread(graded_rows, self.folder.run_id, job.problem, job.group, paths)
        await to_its_end(self.folder.write_group, written, self._contents[job.problem.id])
        self._running.group(written, paths)

    def _journal(self, question: str, group: int) -> pathlib.Path:
        return self._journals / f"{escaped(question)}-{group}.jsonl"

    @property
    def _journals(self) -> pathlib.Path:
        return self.folder.path / "journal"


def graded_rows(run_id: str, problem: Problem, group: int, paths: list[Path]) -> list[dict[str, Any]]:
    """The rows of a group, each path graded by its own words."""
    grades = [grade(path, problem) for path in paths]
    for path, mark in zip(paths, grades, strict=True):
        path.answer, path.correct, path.probes = mark.answer, mark.correct, _probes(path, problem)
    return clustered(rows(run_id, problem, group, paths, grades, [count_aha(path.thinking) for path in paths]), problem)


def _probes(path: Path, problem: Problem) -> list[Probe]:
    """The path's branches, graded."""
    graded = [(branch, grade(branch.path, problem)) for branch in path.branches]
    return [Probe(branch.turn, branch.phase, mark.answer, mark.correct) for branch, mark in graded]


def _portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it is kept: without places on this machine and without the experiment."""
    return {key: value for key, value in config.items() if key not in ("runs_dir", "experiment")}
