"""The record of one run while it is decoded: its folder, its tracker, its progress on the console."""

import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leap_lab.decoding import provenance
from leap_lab.decoding.progress import Progress
from leap_lab.decoding.tracking import Tracker
from leap_lab.engines.metered import Metered
from leap_lab.path import Path
from leap_lab.runs import ledger
from leap_lab.runs.folder import RunFolder
from leap_lab.settings.cell import Cell
from leap_lab.settings.objects import instantiate

# metrics.json of a run folder, from these questions and this many groups of each.
Summarize = Callable[[pathlib.Path, Sequence[str], int], dict[str, Any]]


@dataclass
class Tally:
    """What one call decoded."""

    groups: int = 0
    tokens: int = 0
    failures: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # groups whose question does not fit the context


@dataclass(frozen=True)
class Extent:
    """How much of a run is wanted: questions by id, at most this many groups of each, and groups in all."""

    questions: Sequence[str]
    per_question: int
    groups: int


class Recorder:
    """Keeps one run: `begin`, `group` as each is decoded, `end`. All of them wait for the disk and the tracker."""

    def __init__(self, cell: Cell, folder: RunFolder, extent: Extent, summarize: Summarize) -> None:
        self.folder, self.tally = folder, Tally()
        self._cell, self._extent, self._summarize = cell, extent, summarize
        self._started: float | None = None

    @property
    def began(self) -> bool:
        """Whether this call began to decode."""
        return self._started is not None

    def begin(self, engine: Metered | None, missing: int, label: str, sweep: str | None) -> None:
        """Start the record, with this engine; None where only run.json is missing."""
        self._engine = engine
        self._before = engine.reading() if engine else None
        self._provenance = provenance.collect()
        self._tracker: Tracker = instantiate(self._cell.config["tracking"])
        self._tracker.start(
            run_id=self._cell.run_id,
            sweep=sweep,
            config=self._cell.recorded,
            folder=self.folder.path,
            provenance=self._provenance,
        )
        extent = self._extent
        self._progress = Progress(len(extent.questions), extent.groups, extent.groups - missing, f"{label}: ")
        self._started = time.monotonic()

    def group(self, rows: list[dict[str, Any]], paths: Sequence[Path]) -> None:
        """Count a group that is written, and pass it to the tracker and the progress."""
        tokens = sum(each.sampled for path in paths for each in path.billed_paths)
        self.tally.groups += 1
        self.tally.tokens += tokens
        self._progress.update(tokens=tokens, correct=sum(row["correct"] for row in rows), paths=len(paths))
        self._tracker.paths(rows)
        self._tracker.log(
            {
                "groups": self.tally.groups,
                "pass1_so_far": self._progress.pass1 or 0.0,
                "tokens_per_second": self._progress.tokens_per_second,
            }
        )

    def end(self, status: str) -> None:
        """Write run.json and, for a complete run, metrics.json; pass the status to the tracker."""
        self._progress.close()
        metrics: dict[str, Any] = {}
        try:
            self._write_run(status)
            self._write_ledger()
            metrics = self.write_metrics() if status == "finished" else {}
        finally:
            self._tracker.finish(metrics, {}, status)

    def write_metrics(self) -> dict[str, Any]:
        """Write metrics.json, over what is wanted; the ledger, too, where other groups are there than it counts."""
        known = self.folder.read_run().get("ledger") or {}
        if known.get("groups", 0) != len(list(self.folder.stamps())):
            self._write_ledger()
        summary = self._summarize(self.folder.path, self._extent.questions, self._extent.per_question)
        metrics = {**summary, "ledger": self.folder.read_run().get("ledger")}
        self.folder.write_metrics(metrics)
        return metrics

    def _write_ledger(self) -> None:
        ledger.enter(self.folder, self._cell.engine(), self._cell.model)

    def _write_run(self, status: str) -> None:
        run = {
            "run_id": self.folder.run_id,
            "status": status,
            "questions": len(self._extent.questions),
            "groups_per_question": self._extent.per_question,
            "failures": self.tally.failures,
            "left_out": self.tally.left_out,
            "sessions": [*self.folder.read_run().get("sessions", []), self._session(status)],
            "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        self.folder.write_run(run)

    def _session(self, status: str) -> Mapping[str, Any]:
        seconds = time.monotonic() - (self._started or 0.0)
        busy = self._engine.reading().since(self._before) if self._engine and self._before else None
        return {
            **self._provenance,
            "status": status,
            "groups": self.tally.groups,
            "sampled_tokens": self.tally.tokens,
            "wall_s": round(seconds, 3),
            "tokens_per_second": round(self.tally.tokens / seconds, 1),
            "engine": busy,
            "dtype": self._engine.dtype if self._engine else None,
        }
