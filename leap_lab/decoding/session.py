"""The runs of one command: which cells want them, and which of their groups were handled.

Cells are collected with `add` and decoded together by `decode`: all cells of the same model and engine settings share
one engine, in which they overlap (`scheduler.Scheduler`). The engine starts at the first group that has to be decoded.
A command that finds everything decoded loads no model.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leap_lab.decoding.decoder import Decoder, WantedRun
from leap_lab.decoding.engines import Engines, Key, key_of
from leap_lab.decoding.recorder import Summarize
from leap_lab.decoding.scheduler import Scheduler
from leap_lab.decoding.tracking import Table, Tracker
from leap_lab.errors import UserError
from leap_lab.runs.identity import dotted
from leap_lab.runs.reference import ReferenceRun, Selection, select
from leap_lab.settings.cell import Cell
from leap_lab.settings.objects import instantiate

Part = tuple[Sequence[str], int]  # question ids, and the first so many groups of each


@dataclass
class Session:
    """One command of the user, a single run or a sweep."""

    engines: Engines
    summarize: Summarize  # metrics.json of a run
    sweep: str | None = None
    elsewhere: bool = False  # whether a launcher decoded the cells in other processes
    wanted: dict[str, WantedRun] = field(default_factory=dict)  # by run id, in order: what the report is about
    experiments: dict[str, dict[Path, Part]] = field(default_factory=dict)  # the run folders of each, in order
    failures: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # groups whose question does not fit the context
    empty: set[str] = field(default_factory=set)  # run ids of cells without a single group
    _cells: list[tuple[Cell, str | None]] = field(default_factory=list)  # added, with their experiment
    _seen: dict[str, set[tuple[str, int]]] = field(default_factory=dict)  # groups handled, by run id

    @property
    def folders(self) -> list[Path]:
        """The run folders that hold something of what is wanted, in order."""
        return [folder_of(run.cell) for run_id, run in self.wanted.items() if run_id not in self.empty]

    def add(self, cell: Cell, experiment: str | None = None) -> None:
        """Decode this cell with the next call of `decode`; `experiment` is the experiment that it is for."""
        self._cells.append((cell, experiment))

    def decode(self) -> None:
        """Decode all cells that were added, after the reference runs that they depend on."""
        cells, self._cells = self._cells, []
        self._decode_references([cell for cell, _ in cells])
        wanted = [run for cell, experiment in cells for run in self._ask(cell, experiment)]
        self._run(wanted)

    def publish(self, tables: dict[str, Table], figures: dict[str, Path]) -> None:
        """Give the tracker the tables and figures of a sweep or experiment, in the same group as its runs."""
        if self.sweep is not None and self.wanted:
            cell = next(iter(self.wanted.values())).cell
            tracker: Tracker = instantiate(cell.config["tracking"])
            tracker.report(self.sweep, folder_of(cell).parent, tables, figures)

    def _decode_references(self, cells: Iterable[Cell]) -> None:
        references: dict[str, WantedRun] = {}
        for cell in cells:
            if cell.needs_reference or cell.shows_reference:
                _merge(references, cell.reference(), Selection(cell.problems()))
        failed = len(self.failures)
        self._run(list(references.values()), "reference, ")
        if len(self.failures) > failed:
            raise UserError(f"{self.failures[-1]}; rerun the same command to complete the reference run")

    def _ask(self, cell: Cell, experiment: str | None) -> list[WantedRun]:
        """The runs of a cell: its baseline, if it wants one, then itself."""
        selection, runs = self._selected(cell), [cell.baseline(), cell] if cell.wants_baseline else [cell]
        if experiment is not None:
            if cell.shows_reference:
                self._note(experiment, cell.reference(), Selection(cell.problems()))
            for each in runs:
                self._note(experiment, each, selection)
        return [_merge(self.wanted, each, selection) for each in runs]

    def _note(self, experiment: str, cell: Cell, selection: Selection) -> None:
        """Note what the experiment uses of a run, whatever else the run holds."""
        runs = self.experiments.setdefault(experiment, {})
        ids, most = runs.get(folder_of(cell), ((), 0))
        more = [problem.id for problem in selection.problems]
        runs[folder_of(cell)] = (list(dict.fromkeys([*ids, *more])), max(most, cell.config["groups"]))

    def _selected(self, cell: Cell) -> Selection:
        """The questions of a cell and their beginnings; its reference run must be decoded."""
        problems = cell.problems()
        if not cell.needs_reference:
            return Selection(problems)
        reference = ReferenceRun(folder_of(cell.reference()))
        return select(problems, cell.config["difficulty"]["name"], cell.config["prefix"], reference)

    def _run(self, wanted: Sequence[WantedRun], what: str = "") -> None:
        """Decode what is missing of these runs; runs with the same engine are decoded together."""
        runs = {run.cell.run_id: run for run in wanted if not self._has(run)}
        names = dict(zip(runs, labels([run.cell for run in runs.values()]), strict=True))
        if self.elsewhere:
            self._look([self._decoder(run, what + names[run_id]) for run_id, run in runs.items()])
            return
        by_engine: dict[Key, list[WantedRun]] = {}
        for run in runs.values():
            by_engine.setdefault(key_of(run.cell), []).append(run)
        for key in sorted(by_engine, key=lambda key: key != self.engines.key):  # the running engine first
            decoders = [self._decoder(run, what + names[run.cell.run_id]) for run in by_engine[key]]
            try:
                self.engines.loop.run(self._decode(decoders))
            finally:
                self._count(decoders)
        for run in runs.values():
            self._seen.setdefault(run.cell.run_id, set()).update(run.groups)

    def _decoder(self, run: WantedRun, label: str) -> Decoder:
        return Decoder(run, label, self.sweep, self.summarize)

    async def _decode(self, decoders: Sequence[Decoder]) -> None:
        cells = [decoder.wanted.cell for decoder in decoders]
        most = max(cell.config["concurrency"] for cell in cells)
        await Scheduler(decoders, lambda: self.engines.for_cell(cells[0]), most).run()

    def _look(self, decoders: Iterable[Decoder]) -> None:
        """Check that other processes decoded these runs."""
        for decoder in decoders:
            if decoder.open():
                self.failures.append(f"{decoder.label}: {decoder.missing} groups are missing")
            decoder.folder.close()

    def _has(self, run: WantedRun) -> bool:
        """Whether this command has handled these groups."""
        return run.groups.keys() <= self._seen.get(run.cell.run_id, set())

    def _count(self, decoders: Iterable[Decoder]) -> None:
        for decoder in decoders:
            tally = decoder.tally
            self.failures += [f"{decoder.label}, {failure}" for failure in tally.failures]
            self.left_out += [f"{decoder.label}, {question}" for question in tally.left_out]
            if (tally.failures or tally.left_out) and not decoder.folder.groups():
                self.empty.add(decoder.wanted.cell.run_id)


def folder_of(cell: Cell) -> Path:
    """The run folder of a cell."""
    return Path(cell.config["runs_dir"]) / cell.run_id


def labels(cells: Sequence[Cell]) -> list[str]:
    """A few words for each cell, with the settings that distinguish it from cells with the same words."""
    labelled = []
    for cell in cells:
        alike = [dotted(each.identity) for each in cells if each.label == cell.label]
        own = dotted(cell.identity)
        varied = [key for key in own if any(each.get(key) != own[key] for each in alike)]
        labelled.append(" ".join([cell.label, *(f"{key}={own[key]}" for key in varied)]))
    return labelled


def _merge(runs: dict[str, WantedRun], cell: Cell, selection: Selection) -> WantedRun:
    """Add the groups that a cell wants of its run to those that other cells want."""
    run = runs.setdefault(cell.run_id, WantedRun(cell, selection))
    for problem in selection.problems:
        run.groups |= {(problem.id, group): problem for group in range(cell.config["groups"])}
    return run
