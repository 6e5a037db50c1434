"""leap_lab from Python: `solve` a question, `run` an experiment, keep an `engine` over several calls.

The command line uses the same functions. Overrides are those of the command line, as strings (`"router=dispersed"`) or
as a dict (`{"router.top_k": 4}`). Everything works in a script, in async code and in Jupyter; a call waits for its
result. Bad settings raise a `leap_lab.UserError` before anything is loaded.
"""

import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from leap_lab import siblings
from leap_lab.decoding.engines import Engines
from leap_lab.decoding.session import Session
from leap_lab.decoding.tasks import first
from leap_lab.engines.retrying import Retrying
from leap_lab.errors import UserError
from leap_lab.grading.grade import grade
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.runs.identity import run_id_of
from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments, parsed, quoted
from leap_lab.settings.cell import Cell
from leap_lab.tasks.problem import Problem

Override = str | Mapping[str, Any]


class RunFailed(RuntimeError):
    """Some groups could not be decoded. Finished groups are kept; the same call tries the others again."""

    def __init__(self, failures: Sequence[str], folders: Sequence[pathlib.Path]) -> None:
        super().__init__(f"{len(failures)} groups failed; the first: {failures[0]}")
        self.failures, self.folders = list(failures), list(folders)


def solve(question: str | Problem, *overrides: Override) -> list[Path]:
    """Decode one group of N `peers` paths on a question. Nothing is written to disk.

    Each path has its `answer` (a string, or None where it gave none), its whole `text()`, and its `segments`: token ids
    by who wrote them. For a `Problem` with a gold answer it also says whether that is `correct`. The setting
    `seed` makes a call repeatable. Settings of datasets, baselines and trackers have no effect here.

    Raises `UserError` for bad settings and for a model that cannot be loaded, and whatever the engine raises while it
    decodes.
    """
    problem = question if isinstance(question, Problem) else Problem("question", question, "")
    cell = _cell(*overrides)
    cell.engine().check(cell.model)
    config, method = cell.config, cell.method()
    if cell.needs_reference:
        raise UserError("difficulty and prefix need a reference run on a dataset; use leap_lab.run")
    with _engines() as engines:

        async def decode() -> list[Path]:
            job = Job(problem, 0, config["peers"], config["seed"], recording=cell.recording)
            return await method.solve(job, Retrying(await engines.for_cell(cell)))

        try:
            paths = engines.loop.run(decode())
        except BaseExceptionGroup as group:
            raise first(group) from None
    for path in paths:
        mark = grade(path, problem)
        path.answer, path.correct = mark.answer, mark.correct if problem.answer else None
    return paths


def run(*overrides: Override) -> list[pathlib.Path]:
    """Decode a run or, where a key has several values (`"router=clustered,dispersed"`), a sweep of them.

    Returns the run folders, each baseline before the runs it belongs to; `leap_lab.load` reads them as one table.
    Finished groups are not decoded again.

    Raises `UserError` for bad settings and `RunFailed` where groups failed.
    """
    plan = compose.plan(_arguments(overrides, multirun=True))
    if any(planned.elsewhere for planned in plan):
        raise UserError("hydra/launcher: only the command line launches jobs in other processes")
    with session(plan) as command:
        decode(command, plan)
        if command.failures:
            raise RunFailed(command.failures, command.folders)
        return command.folders


def cell(*overrides: Override) -> Cell:
    """One checked configuration, with all that determines a result; `UserError` for a bad one, or for a sweep."""
    return _cell(*overrides)


@contextmanager
def engine(*overrides: Override) -> Iterator[None]:
    """Load an engine once for all calls of `solve` and `run` in a `with` block.

    Calls in the block start from its `overrides`, such as `"model=r1_7b"`. A call that needs another model or other
    engine settings replaces the engine.
    """
    engines = Engines()
    try:
        cell = _cell(*overrides)
        cell.engine().check(cell.model)
        engines.loop.run(engines.for_cell(cell))
        token = _block.set((engines, (*_block.get()[1], *overrides)))
        try:
            yield
        finally:
            _block.reset(token)
    finally:
        engines.close()


_block: ContextVar[tuple[Engines | None, tuple[Override, ...]]] = ContextVar("block", default=(None, ()))


@contextmanager
def _engines() -> Iterator[Engines]:
    """The engines of the `engine` block around the call, or new ones for this call alone."""
    kept, _ = _block.get()
    engines = kept or Engines()
    try:
        yield engines
    finally:
        if kept is None:
            engines.close()


@contextmanager
def session(plan: Sequence[compose.PlannedSweep]) -> Iterator[Session]:
    """The session of a plan; its engine is closed at the end, unless an `engine` block keeps it."""
    with _engines() as engines:
        yield Session(engines, summarize, sweep_of(plan))


def decode(command: Session, plan: Sequence[compose.PlannedSweep]) -> None:
    """Decode a plan in this process: all cells together, or with hydra/launcher=basic one after another."""
    for planned in plan:
        for each in planned.cells:
            command.add(each, planned.sweep.experiment)
            if planned.launcher == "basic":
                command.decode()
    command.decode()


def sweep_of(plan: Sequence[compose.PlannedSweep]) -> str | None:
    """The name of a sweep for trackers; None for a single run."""
    ids = [each.run_id for planned in plan for each in planned.cells]
    return run_id_of({"cells": ids}) if len(ids) > 1 else None


def summarize(folder: pathlib.Path, questions: Sequence[str], groups: int) -> dict[str, Any]:
    """What metrics.json of a run holds, over these questions and the first `groups` groups of each."""
    paths = siblings.analysis("load").load([folder], questions=questions, groups=groups)
    metrics: dict[str, Any] = siblings.analysis("measures.metrics").metrics(paths)
    return metrics


def _cell(*overrides: Override) -> Cell:
    return compose.cell(_arguments(overrides))


def _arguments(overrides: Sequence[Override], multirun: bool = False) -> Arguments:
    """What a command line would hold: those of the `engine` block first, so that the call's own win."""
    given = [line for override in (*_block.get()[1], *overrides) for line in _lines(override)]
    return Arguments.read([*(["-m"] if multirun else []), *given])


def _lines(override: Override) -> list[str]:
    if isinstance(override, str):
        return [override]
    return [f"{key}={value if _is_grammar(value) else _written(value)}" for key, value in override.items()]


def _is_grammar(value: Any) -> bool:
    """Whether a value is text that Hydra understands, such as `clustered,dispersed`."""
    from hydra.errors import HydraException

    try:
        return isinstance(value, str) and bool(parsed(f"key={value}"))
    except HydraException:
        return False


def _written(value: Any) -> str:
    """A Python value in Hydra's grammar."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{_written(item)}' for key, item in value.items())}}}"
    if isinstance(value, str) and not re.fullmatch(r"[\w./:+-]+", value):
        return quoted(value)
    return str(value)
