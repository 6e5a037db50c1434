"""Runs side by side: each with its metrics, and against the independent baseline over the questions both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..labels import labels, names_of
from ..load import load
from ..stats.intervals import CONFIDENCE, DIFFERENCE, Estimate, paired
from ..stats.significance import detectable, holm, permutation_p
from .metrics import by_question, estimates, per_group
from .shared import determining, hears, is_baseline, shared_settings, shares_of

Asked = Mapping[str, Sequence[str]] | Sequence[str] | None


@dataclass(frozen=True)
class Against:
    """Pass@1 of a run minus that of its baseline: paired over their common questions."""

    difference: Estimate
    p: float | None
    family: bool = False  # p is corrected for the comparisons beside it (`corrected`)
    detectable: float | None = None  # the true difference that these questions would show with 80% power

    @property
    def verdict(self) -> str:
        """`better` or `worse` only where the interval of the difference, and a corrected p, say so."""
        if not self.difference.excludes_zero or (self.family and (self.p is None or self.p >= 1 - CONFIDENCE)):
            return ""
        return "better" if self.difference.value > 0 else "worse"


@dataclass(frozen=True)
class Row:
    """One run: what it is called here, its settings and size, its metrics, and how it stands against its baseline."""

    run_id: str
    name: str
    labels: dict[str, Any]
    questions: int
    groups: int  # of the question that has most
    paths: int  # of a group
    found: int  # groups of paths in all
    asked: int  # groups of paths that there should be
    estimates: dict[str, Estimate]
    against: Against | None

    def __getitem__(self, name: str) -> Estimate:
        """A metric by name; `cons` and `shortest_majority` whatever N is."""
        return self.estimates[name if name in self.estimates else f"{name}@{self.paths}"]

    @property
    def independent(self) -> bool:
        """Whether this is a baseline itself."""
        return is_baseline(self.labels["method"], self.labels.get("explain"))


@dataclass(frozen=True)
class Run:
    """A run folder in memory: its settings by dotted keys, and its metrics a group at a time."""

    folder: Path
    settings: dict[str, Any]
    table: pd.DataFrame  # `per_group`

    @classmethod
    def read(cls, folder: Path, questions: Sequence[str] | None = None, groups: int | None = None) -> "Run":
        """`UserError` for a folder that is no run or holds nothing of what is asked for."""
        return cls(folder, settings(folder), per_group(load([folder], questions=questions, groups=groups)))

    @property
    def independent(self) -> bool:
        """Whether its paths know nothing of each other."""
        return is_baseline(self.settings.get("method.name"), self.settings.get("method.explain"))

    @property
    def routed(self) -> bool:
        """Whether a router decides whom its paths hear, as in LeaP; not so where it lets them hear nobody."""
        return hears(self.settings.get("router.name"))

    def setting(self, *but: str) -> dict[str, Any]:
        """What determined the result, without the groups of keys `but`."""
        return determining(self.settings, but)


def compare(folders: Sequence[str | Path], questions: Asked = None, groups: int | None = None) -> list[Row]:
    """A row per run folder: independent baselines first, then in the order of the folders, each folder once.

    `questions` are ids, the same for all runs or by run id, and `groups` counts the first groups of each; None is all
    there are. `UserError` for a folder that is no run or holds nothing of what was asked for.
    """
    distinct = {Path(folder).resolve(): Path(folder) for folder in folders}
    if not distinct:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    wanted = {folder: _wanted(questions, folder.name) for folder in distinct.values()}
    runs = [Run.read(folder, asked, groups) for folder, asked in wanted.items()]
    runs.sort(key=lambda run: not run.independent)
    names = names_of([run.settings for run in runs], [run.folder.name for run in runs])
    sizes = [len(_questions_like(run, runs) if (ids := wanted[run.folder]) is None else set(ids)) for run in runs]
    return [
        _row(run, name, runs, size * (groups or _most_groups(run)))
        for run, name, size in zip(runs, names, sizes, strict=True)
    ]


def corrected(rows: Sequence[Row]) -> list[Row]:
    """The rows with p corrected for the family that their comparisons are, by Holm's method."""
    adjusted = holm([row.against.p if row.against else None for row in rows])
    return [
        replace(row, against=row.against and replace(row.against, p=p, family=True))
        for row, p in zip(rows, adjusted, strict=True)
    ]


def _wanted(questions: Asked, run_id: str) -> Sequence[str] | None:
    return questions[run_id] if isinstance(questions, Mapping) else questions


def _row(run: Run, name: str, runs: Sequence[Run], asked: int) -> Row:
    found = estimates(run.table)
    paths = next(int(key.removeprefix("cons@")) for key in found if key.startswith("cons@"))
    return Row(
        run_id=run.folder.name,
        name=name,
        labels=labels(run.settings),
        questions=run.table["question_id"].nunique(),
        groups=_most_groups(run),
        paths=paths,
        found=len(run.table),
        asked=asked,
        estimates=found,
        against=_against(run, runs),
    )


def _against(run: Run, runs: Sequence[Run]) -> Against | None:
    """The run against the first independent one that shares its settings; None for a baseline, or without one."""
    baseline = baseline_of(run, runs)
    if run.independent or baseline is None:
        return None
    shared = sorted(set(run.table["question_id"]) & set(baseline.table["question_id"]))
    if not shared:
        return None
    return against(run, baseline, shared)


def against(run: Run, other: Run, shared: Sequence[str]) -> Against:
    """Pass@1 of one run minus that of another over the questions `shared`."""
    left, right = (by_question(each.table, "pass@1", shared) for each in (run, other))
    difference = paired(left, right, DIFFERENCE)
    means = [[float(values.mean()) for values in arm] for arm in (left, right)]
    return Against(difference, permutation_p(means[0], means[1]), detectable=detectable(left, right))


def baseline_of(run: Run, runs: Sequence[Run]) -> Run | None:
    """The independent run that shares the settings of this one.

    Where there is none with as many paths, one with another number of them: the Pass@1 of independent paths does not
    depend on how many there are.
    """
    shares = shares_of(run.settings)
    for but in ((), ("peers",)):
        wanted = shared_settings(run.settings, but, shares)
        for other in runs:
            if other.independent and shared_settings(other.settings, but, shares) == wanted:
                return other
    return None


def _questions_like(run: Run, runs: Sequence[Run]) -> set[str]:
    """The questions of all runs that take theirs by the same rule: beginnings and difficulty leave some out."""

    def rule(each: Run) -> tuple[bool, Any]:
        return each.settings.get("prefix.name", "none") != "none", each.settings.get("difficulty.name")

    return {question for other in runs if rule(other) == rule(run) for question in other.table["question_id"]}


def _most_groups(run: Run) -> int:
    return int(run.table.groupby("question_id").size().max())
