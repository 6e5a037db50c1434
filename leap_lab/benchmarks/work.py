"""The work that is timed: cells of the built-in model, decoded as the command line decodes them."""

import asyncio
import pathlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from leap_lab import api
from leap_lab.decoding.decoder import Decoder, WantedRun
from leap_lab.decoding.scheduler import Scheduler
from leap_lab.engines.base import Engine
from leap_lab.engines.metered import Metered
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.runs.ledger import COLUMNS
from leap_lab.runs.reading import read_groups
from leap_lab.runs.reference import Selection
from leap_lab.settings.cell import Cell


@dataclass(frozen=True)
class Cost:
    """What runs took together: seconds, tokens, requests in flight, and positions that a token attends to."""

    seconds: float
    sampled: int
    prefilled: int
    requests: int
    in_flight: float
    context: float


def cell(*overrides: str) -> Cell:
    """A cell of the built-in model, without baseline and tracking."""
    return api.cell("tracking=none", "baseline=false", *overrides)


async def decoded(cells: Sequence[Cell], engine: Metered, runs: pathlib.Path) -> Cost:
    """Decode these cells together into new run folders: routing, grading, journal and files included."""
    decoders = [Decoder(wanted_run(each, runs), each.label, None, api.summarize) for each in cells]

    async def ready() -> Metered:
        return engine

    before, started = engine.reading(), time.monotonic()
    await Scheduler(decoders, ready, cells[0].config["concurrency"]).run()
    seconds, meter = time.monotonic() - started, engine.reading().since(before)
    return cost([decoder.folder.path for decoder in decoders], seconds, meter["requests_in_flight"])


def wanted_run(each: Cell, runs: pathlib.Path) -> WantedRun:
    """All questions of a cell, one group of each, in a run folder under `runs`."""
    wanted = WantedRun(each.but(runs_dir=str(runs)), Selection(each.problems()))
    wanted.groups.update({(problem.id, 0): problem for problem in each.problems()})
    return wanted


def cost(folders: Sequence[pathlib.Path], seconds: float, in_flight: float) -> Cost:
    """What these runs took, by their rows."""
    sums: dict[str, int] = {column: 0 for column in COLUMNS if column.startswith(("tokens_", "requests"))}
    for folder in folders:
        rows = read_groups(folder, list(sums))
        sums = {column: count + int(rows[column].sum()) for column, count in sums.items()}
    computed = sums["tokens_prefilled"] + sums["tokens_decoded"]
    return Cost(
        seconds,
        sums["tokens_think"] + sums["tokens_summary"],
        sums["tokens_prefilled"],
        sums["requests"],
        in_flight,
        sums["tokens_attended"] / computed,
    )


async def solved(each: Cell, engine: Engine, method: Any = None) -> tuple[list[Path], float]:
    """All paths of a cell's questions, decoded at once and written nowhere, and the seconds they took."""
    method, config = method or each.method(), each.config
    jobs = [
        Job(problem, 0, config["peers"], config["seed"], index, index) for index, problem in enumerate(each.problems())
    ]
    started = time.monotonic()
    groups = await asyncio.gather(*(method.solve(job, engine) for job in jobs))
    return [path for group in groups for path in group], time.monotonic() - started


class Stopwatch:
    """The seconds that something took in all."""

    seconds = 0.0


def with_timed_router(each: Cell) -> tuple[Any, Stopwatch]:
    """The cell's method, with a router of the same class that adds up its time, and that time."""
    method: Any = each.method()
    watch = Stopwatch()

    class Timed(type(method.router)):  # type: ignore[misc]
        def route(self, *arguments: Any) -> Any:
            started = time.perf_counter()
            choices = super().route(*arguments)
            watch.seconds += time.perf_counter() - started
            return choices

    return replace(method, router=Timed(**vars(method.router))), watch
