"""What outlives a cell: the event loop, the engine, and which runs a sweep has seen.

The engine starts at the first group that has to be decoded and is shared by all cells of the same model and engine
settings, so a sweep loads its model once, and a command that finds everything decoded loads none.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab import provenance
from leap_lab.cell import Cell, arguments, made
from leap_lab.decode import TOO_MANY_FAILURES, Decoder, Tally, missing_jobs
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.problems import Problem
from leap_lab.progress import Progress
from leap_lab.records import RunFolder
from leap_lab.reference import Selection, Source, select
from leap_lab.tracking import Tracker

if TYPE_CHECKING:
    from analysis.report import Report

Asked = tuple[Sequence[str], int]  # question ids, and the first so many groups of each


@dataclass
class Session:
    """One command of the user, a single run or a sweep."""

    sweep: str | None = None
    experiment: str | None = None  # that the cells to come are asked for by
    folders: dict[str, Path] = field(default_factory=dict)  # by run id, in order
    questions: dict[str, list[str]] = field(default_factory=dict)  # the ids that a run was asked for, by run id
    groups: dict[str, int] = field(default_factory=dict)  # of each question, by run id
    experiments: dict[str, dict[Path, Asked]] = field(default_factory=dict)  # the run folders of each, in order
    failures: list[str] = field(default_factory=list)
    error: UserError | None = None  # what ended the command early
    empty: set[str] = field(default_factory=set)  # run ids of cells without a single group
    _tracking: dict[str, Any] | None = None
    _references: dict[str, Path] = field(default_factory=dict)  # by run id, whole ones
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _engine: Engine | None = None
    _engine_key: tuple[str, str] | None = None

    def run(self, cell: Cell) -> None:
        """Decode a cell and, where it wants one, its baseline first."""
        selection = self._selected(cell)
        if cell.shows_reference:
            self._of_experiment(self._reference(cell), Selection(cell.problems()), 1)
        for each in [cell.baseline(), cell] if cell.wants_baseline else [cell]:
            if not self._has(each, selection):
                self.folders[each.run_id] = self._run_one(each, selection)
            self._of_experiment(self.folders[each.run_id], selection, each.config["groups"])

    def _has(self, cell: Cell, selection: Selection) -> bool:
        """Whether this command has seen to the run of this cell with as many questions and groups."""
        if cell.run_id not in self.folders or cell.config["groups"] > self.groups[cell.run_id]:
            return False
        return self._covers(cell, selection)

    def _covers(self, cell: Cell, selection: Selection) -> bool:
        return {problem.id for problem in selection.problems} <= set(self.questions[cell.run_id])

    def _of_experiment(self, folder: Path, selection: Selection, groups: int) -> None:
        """Note what the experiment asks of a run, whatever else the run holds."""
        if self.experiment is None:
            return
        runs = self.experiments.setdefault(self.experiment, {})
        ids, most = runs.get(folder, ((), 0))
        runs[folder] = (list(dict.fromkeys([*ids, *(problem.id for problem in selection.problems)])), max(most, groups))

    def _selected(self, cell: Cell) -> Selection:
        """The questions of a cell and their beginnings, for which its reference run is decoded first."""
        problems = cell.problems()
        if not cell.needs_reference:
            return Selection(problems)
        source = Source(self._reference(cell))
        return select(problems, cell.config["difficulty"]["name"], cell.config["prefix"], source)

    def _reference(self, cell: Cell) -> Path:
        """The folder of a cell's reference run, decoded where it is not there yet."""
        reference, selection = cell.reference(), Selection(cell.problems())
        if reference.run_id not in self._references or not self._covers(reference, selection):
            failed = len(self.failures)
            folder = self._run_one(reference, selection, "reference, ")
            if len(self.failures) > failed:
                raise UserError(f"{self.failures[-1]}; the reference run has to be whole, the same command tries again")
            self._references[reference.run_id] = folder
        return self._references[reference.run_id]

    def tell(self, report: "Report") -> None:
        """Tell the tracker of a sweep's or experiment's tables and figures, in the group that its runs are in."""
        if self.sweep is not None and self._tracking is not None:
            folder = next(iter(self.folders.values()))
            tracker: Tracker = made(self._tracking)
            tracker.report(self.sweep, folder.parent, report.tables, report.figures)

    def close(self) -> None:
        """Release engine and loop."""
        if self._engine is not None:
            self._runner.run(self._engine.close())
            self._engine = None
        self._runner.close()

    def _run_one(self, cell: Cell, selection: Selection, what: str = "") -> Path:
        """Decode what is missing of a run; returns its folder."""
        config = cell.recorded
        with RunFolder.open(config["runs_dir"], cell.identity, _portable(config)) as folder:
            return self._decoded(cell, selection, f"{what}{cell.label}", folder)

    def _decoded(self, cell: Cell, selection: Selection, label: str, folder: RunFolder) -> Path:
        config, problems = cell.recorded, selection.problems
        self.questions[cell.run_id] = [problem.id for problem in problems]
        self.groups[cell.run_id] = config["groups"]
        jobs = missing_jobs(selection, config["groups"], config["peers"], config["seed"], folder)
        total = len(problems) * config["groups"]
        if not jobs:
            print(f"{label}: all {total} groups are in {folder.path}, nothing to decode", file=sys.stderr)
            if folder.read_run().get("status") == "finished":
                self._write_metrics(folder)
                return folder.path
        engine = self._runner.run(self._engine_for(cell)) if jobs else None
        self._tracking = config["tracking"]
        tracker: Tracker = made(config["tracking"])
        ran = provenance.collect()
        tracker.start(run_id=cell.run_id, sweep=self.sweep, config=config, folder=folder.path, provenance=ran)
        status, tally = "interrupted", Tally()
        try:
            with Progress(len(problems), total, total - len(jobs), f"{label}: ") as progress:
                decoder = Decoder(cell.method(), folder, tracker, progress, tally)
                if engine is not None:
                    self._runner.run(decoder.run(jobs, engine, config["concurrency"]))
            status = "failed groups" if tally.failures else "finished"
        finally:
            self._record(folder, ran, status, tally, problems, config)
            metrics = self._write_metrics(folder) if status == "finished" else {}
            tracker.finish(metrics, {}, status)
        if len(tally.failures) >= TOO_MANY_FAILURES:
            print(f"{label}: {len(tally.failures)} groups failed, the rest was not tried", file=sys.stderr)
        if not folder.groups():
            self.empty.add(cell.run_id)
        self.failures += [f"{label}, {failure}" for failure in tally.failures]
        return folder.path

    def _write_metrics(self, folder: RunFolder) -> dict[str, Any]:
        from analysis.load import load
        from analysis.metrics import metrics

        found = metrics(load([folder.path], questions=self.questions[folder.run_id], groups=self.groups[folder.run_id]))
        folder.write_metrics(found)
        return found

    def _record(
        self,
        folder: RunFolder,
        ran: Mapping[str, Any],
        status: str,
        tally: Tally,
        problems: list[Problem],
        config: Mapping[str, Any],
    ) -> None:
        decoded = {"groups": tally.groups, "sampled_tokens": tally.tokens, "wall_s": round(tally.wall_s, 3)}
        speed = {"tokens_per_second": round(tally.tokens / tally.wall_s, 1) if tally.wall_s else None}
        earlier = folder.read_run().get("sessions", [])
        folder.write_run(
            {
                "run_id": folder.run_id,
                "status": status,
                "questions": len(problems),
                "groups_per_question": config["groups"],
                "failures": tally.failures,
                "sessions": [*earlier, {**ran, "status": status, **decoded, **speed}],
                "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        )

    async def _engine_for(self, cell: Cell) -> Engine:
        """The running engine if it is the one this cell needs, else that one in its place."""
        settings = arguments(cell.config["engine"])
        key = cell.model_path, repr(sorted(settings.items(), key=lambda item: item[0]))
        if self._engine is not None and self._engine_key == key:
            return self._engine
        if self._engine is not None:
            await self._engine.close()
            self._engine = None
        print(f"starting the engine for model={cell.config['model']['name']} ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        self._engine = await made(settings, model=cell.model_path)
        self._engine_key = key
        print(f"engine ready after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return self._engine


def _portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it is kept: without where things lie on this machine and what asked for the run."""
    return {key: value for key, value in config.items() if key not in ("runs_dir", "experiment")}
