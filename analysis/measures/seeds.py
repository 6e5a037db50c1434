"""Runs that differ in their seed alone, as one: groups of all seeds are groups of their question."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from .compare import Run


def pooled(runs: "Sequence[Run]") -> "list[Run]":
    """The runs, those that differ in their seed alone as one, in the place of the first of them.

    Runs of one setting that share a seed stay apart: they hold the same paths, or differ in what they ran on.
    """
    alike: dict[str, list[Run]] = {}
    for run in runs:
        own = {**run.setting("seed"), "engine.name": run.settings.get("engine.name")}
        alike.setdefault(repr(sorted(own.items())), []).append(run)
    found: list[Run] = []
    for same in alike.values():
        seeds = {run.settings.get("seed") for run in same}
        found += [_pool(same)] if len(seeds) == len(same) else same
    places = {run.folder: place for place, run in enumerate(runs)}
    return sorted(found, key=lambda run: places[run.folder])


def of_seeds(run: "Run", seeds: Collection[Any]) -> "Run":
    """The run with the groups of these seeds alone, of which it has one."""
    kept = [part for part in run.single if part.settings.get("seed") in seeds]
    return run if len(kept) == len(run.single) else _pool(kept)


def _pool(runs: "Sequence[Run]") -> "Run":
    """One run of these: the groups of each seed get numbers of their own, metrics that not all have are dropped."""
    if len(runs) == 1:
        return runs[0]
    tables, first = list[pd.DataFrame](), 0
    for run in runs:
        tables.append(run.table.assign(group=run.table["group"] + first))
        first += int(run.table["group"].max()) + 1
    table = pd.concat(tables, join="inner", ignore_index=True)
    own = {**runs[0].settings, "seed": None}
    return replace(runs[0], settings=own, table=table, parts=tuple(runs), weighted=any(run.weighted for run in runs))
