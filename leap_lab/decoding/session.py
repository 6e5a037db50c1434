"""What outlives a cell: the event loop, the engine, and which runs a command has seen.

Cells are collected with `add` and decoded together by `decode`: all cells of the same model and engine settings share
one engine, in which they overlap (`pool.Pool`). The engine starts at the first group that has to be decoded, so that a
command that finds everything decoded loads no model.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leap_lab.decoding.decoder import Asked, Decoder
from leap_lab.decoding.pool import Pool
from leap_lab.decoding.tracking import Tracker
from leap_lab.engines.metered import Metered
from leap_lab.errors import UserError
from leap_lab.runs.identity import dotted
from leap_lab.runs.reference import Selection, Source, select
from leap_lab.settings.cell import Cell, arguments, made

if TYPE_CHECKING:
    from analysis.report.sweep import Report

Wanted = tuple[Sequence[str], int]  # question ids, and the first so many groups of each
EngineKey = tuple[str, str]  # the model, and the engine's settings


@dataclass
class Session:
    """One command of the user, a single run or a sweep."""

    sweep: str | None = None
    experiment: str | None = None  # that the cells to come are asked for by
    collects: bool = False  # whether cells wait for the end of the command, to be decoded together
    elsewhere: bool = False  # whether a launcher decoded the cells in other processes
    asked: dict[str, Asked] = field(default_factory=dict)  # by run id, in order: what the report is about
    experiments: dict[str, dict[Path, Wanted]] = field(default_factory=dict)  # the run folders of each, in order
    failures: list[str] = field(default_factory=list)
    error: UserError | None = None  # what ended the command early
    empty: set[str] = field(default_factory=set)  # run ids of cells without a single group
    jobs: int = 0  # cells added
    _cells: list[tuple[Cell, str | None]] = field(default_factory=list)  # collected, with their experiment
    _seen: dict[str, set[tuple[str, int]]] = field(default_factory=dict)  # groups seen to, by run id
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _engine: Metered | None = None
    _engine_key: EngineKey | None = None

    @property
    def folders(self) -> list[Path]:
        """The run folders that hold something of what was asked for, in order."""
        return [folder_of(asked.cell) for run_id, asked in self.asked.items() if run_id not in self.empty]

    def add(self, cell: Cell) -> None:
        """Decode this cell, now or together with those to come."""
        self.jobs += 1
        self._cells.append((cell, self.experiment))
        if not self.collects:
            self.decode()

    def decode(self) -> None:
        """Decode all cells that were added, first the reference runs that they lean on."""
        cells, self._cells = self._cells, []
        self._decode_references([cell for cell, _ in cells])
        wanted = [asked for cell, experiment in cells for asked in self._ask(cell, experiment)]
        self._run(wanted)

    def tell(self, report: "Report") -> None:
        """Tell the tracker of a sweep's or experiment's tables and figures, in the group that its runs are in."""
        if self.sweep is not None and self.asked:
            cell = next(iter(self.asked.values())).cell
            tracker: Tracker = made(cell.config["tracking"])
            tracker.report(self.sweep, folder_of(cell).parent, report.tables, report.figures)

    def close(self) -> None:
        """Release engine and loop."""
        try:
            self._runner.run(self._close_engine())
        finally:
            self._runner.close()

    def _decode_references(self, cells: Iterable[Cell]) -> None:
        asked: dict[str, Asked] = {}
        for cell in cells:
            if cell.needs_reference or cell.shows_reference:
                _merge(asked, cell.reference(), Selection(cell.problems()))
        failed = len(self.failures)
        self._run(list(asked.values()), "reference, ")
        if len(self.failures) > failed:
            raise UserError(f"{self.failures[-1]}; the reference run has to be whole, the same command tries again")

    def _ask(self, cell: Cell, experiment: str | None) -> list[Asked]:
        """What a cell takes: itself and, where it wants one, its baseline first."""
        selection, runs = self._selected(cell), [cell.baseline(), cell] if cell.wants_baseline else [cell]
        if experiment is not None:
            if cell.shows_reference:
                self._note(experiment, cell.reference(), Selection(cell.problems()))
            for each in runs:
                self._note(experiment, each, selection)
        return [_merge(self.asked, each, selection) for each in runs]

    def _note(self, experiment: str, cell: Cell, selection: Selection) -> None:
        """Note what the experiment asks of a run, whatever else the run holds."""
        runs = self.experiments.setdefault(experiment, {})
        ids, most = runs.get(folder_of(cell), ((), 0))
        more = [problem.id for problem in selection.problems]
        runs[folder_of(cell)] = (list(dict.fromkeys([*ids, *more])), max(most, cell.config["groups"]))

    def _selected(self, cell: Cell) -> Selection:
        """The questions of a cell and their beginnings; its reference run is decoded."""
        problems = cell.problems()
        if not cell.needs_reference:
            return Selection(problems)
        source = Source(folder_of(cell.reference()))
        return select(problems, cell.config["difficulty"]["name"], cell.config["prefix"], source)

    def _run(self, wanted: Sequence[Asked], what: str = "") -> None:
        """Decode what is missing of these runs, those of one engine together."""
        runs = {asked.cell.run_id: asked for asked in wanted if not self._has(asked)}
        names = dict(zip(runs, labels([asked.cell for asked in runs.values()]), strict=True))
        if self.elsewhere:
            self._look([Decoder(asked, what + names[run_id], self.sweep) for run_id, asked in runs.items()])
            return
        by_engine: dict[EngineKey, list[Asked]] = {}
        for asked in runs.values():
            by_engine.setdefault(_engine_key(asked.cell), []).append(asked)
        for key in sorted(by_engine, key=lambda key: key != self._engine_key):  # the running engine first
            decoders = [Decoder(asked, what + names[asked.cell.run_id], self.sweep) for asked in by_engine[key]]
            try:
                self._runner.run(self._decode(decoders))
            finally:
                self._count(decoders)
        for asked in runs.values():
            self._seen.setdefault(asked.cell.run_id, set()).update(asked.groups)

    async def _decode(self, decoders: Sequence[Decoder]) -> None:
        cells = [decoder.asked.cell for decoder in decoders]
        most = max(cell.config["concurrency"] for cell in cells)
        await Pool(decoders, lambda: self._engine_for(cells[0]), most).run()

    def _look(self, decoders: Iterable[Decoder]) -> None:
        """See whether other processes decoded these runs."""
        for decoder in decoders:
            if decoder.open():
                self.failures.append(f"{decoder.label}: {decoder.missing} groups are not there")
            decoder.folder.close()

    def _has(self, asked: Asked) -> bool:
        """Whether this command has seen to these groups."""
        return asked.groups.keys() <= self._seen.get(asked.cell.run_id, set())

    def _count(self, decoders: Iterable[Decoder]) -> None:
        for decoder in decoders:
            self.failures += [f"{decoder.label}, {failure}" for failure in decoder.tally.failures]
            if decoder.tally.failures and not decoder.folder.groups():
                self.empty.add(decoder.asked.cell.run_id)

    async def _engine_for(self, cell: Cell) -> Metered:
        """The running engine if it is the one this cell needs, else that one in its place."""
        key = _engine_key(cell)
        if self._engine is not None and self._engine_key == key:
            return self._engine
        await self._close_engine()
        print(f"starting the engine for model={cell.config['model']['name']} ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        self._engine = Metered(await made(arguments(cell.config["engine"]), model=cell.model_path))
        self._engine_key = key
        print(f"engine ready after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return self._engine

    async def _close_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()


def folder_of(cell: Cell) -> Path:
    """Where the run of a cell lies."""
    return Path(cell.config["runs_dir"]) / cell.run_id


def labels(cells: Sequence[Cell]) -> list[str]:
    """A few words for each cell, with the settings that tell it from others of the same words."""
    found = []
    for cell in cells:
        alike = [dotted(each.identity) for each in cells if each.label == cell.label]
        own = dotted(cell.identity)
        varied = [key for key in own if any(each.get(key) != own[key] for each in alike)]
        found.append(" ".join([cell.label, *(f"{key}={own[key]}" for key in varied)]))
    return found


def _merge(runs: dict[str, Asked], cell: Cell, selection: Selection) -> Asked:
    """Add what a cell asks of its run to what others ask of it."""
    asked = runs.setdefault(cell.run_id, Asked(cell, selection))
    for problem in selection.problems:
        asked.groups |= {(problem.id, group): problem for group in range(cell.config["groups"])}
    return asked


def _engine_key(cell: Cell) -> EngineKey:
    settings = arguments(cell.config["engine"])
    return cell.model_path, repr(sorted(settings.items(), key=lambda item: item[0]))


current: Session | None = None  # the command that this process runs
