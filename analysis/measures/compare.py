"""Runs side by side: each with its metrics, and against the independent baseline over the questions both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..labels import labels, names_of
from ..load import load
from ..stats.intervals import DIFFERENCE, Estimate
from . import contrasts
from .contrasts import Against
from .metrics import by_question, estimates, per_group, samples
from .seeds import of_seeds, pooled
from .shared import determining, hears, is_baseline, is_control, shared_settings, shares_of

Asked = Mapping[str, Sequence[str]] | Sequence[str] | None
FAMILY = "comparisons with independent in this table"
CONTROLS = "comparisons with the control in this table"
PAIRED = ("cons@", "pass@", "final")  # metrics with a paired test of their own begin so


@dataclass(frozen=True)
class Row:
    """One run, or runs of several seeds: its name here, its settings and size, its metrics, and its comparisons."""

    run_ids: tuple[str, ...]
    name: str
    labels: dict[str, Any]
    questions: int
    groups: int  # of the question that has most
    paths: int  # of a group
    found: int  # groups of paths in all
    asked: int  # groups of paths that there should be
    estimates: dict[str, Estimate]
    against: Against | None  # Pass@1 minus that of its baseline
    others: dict[str, Against]  # the same of votes and pass@k: the metrics that both have
    over_control: dict[str, Against] = field(default_factory=dict)  # the same minus the control, `router=none`
    these: bool = False  # intervals are for these very questions asked again, not for questions like these
    seeds: tuple[Any, ...] = ()  # of the runs; several where these are pooled
    data_sets: tuple[str, ...] = ()  # where it is a mean over several
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)  # by dotted keys
    right: Mapping[Any, float] = field(default_factory=dict, repr=False)  # Pass@1 by question
    decides: bool = False  # see `Run.decides`

    @property
    def run_id(self) -> str:
        """Its run, or the first of them."""
        return self.run_ids[0]

    def __getitem__(self, name: str) -> Estimate:
        """A metric by name; `cons` and `shortest_majority` whatever N is."""
        return self.estimates[name if name in self.estimates else f"{name}@{self.paths}"]

    @property
    def independent(self) -> bool:
        """Whether this is a baseline itself."""
        return is_baseline(self.labels["method"], self.labels.get("explain"))


@dataclass(frozen=True)
class Run:
    """A run folder in memory: its settings by dotted keys, and its metrics a group at a time.

    Or several that differ in their seed alone (`seeds.pooled`): groups of all seeds are groups of their question.
    """

    folder: Path  # the first
    settings: dict[str, Any]
    table: pd.DataFrame  # `per_group`
    parts: tuple["Run", ...] = ()  # the runs of single seeds, where there are several
    weighted: bool = False  # whether its method gave its paths weights

    @classmethod
    def read(cls, folder: Path, questions: Sequence[str] | None = None, groups: int | None = None) -> "Run":
        """`UserError` for a folder that is no run or holds nothing of what is asked for."""
        paths = load([folder], questions=questions, groups=groups)
        return cls(folder, settings(folder), per_group(paths), weighted=bool(paths["weight"].notna().any()))

    @property
    def size(self) -> int:
        """The number of paths in a group."""
        return next(int(name.removeprefix("cons@")) for name in map(str, self.table) if name.startswith("cons@"))

    @property
    def decides(self) -> bool:
        """Whether its decision (`final`) is something else than the vote of all the peers that were asked for."""
        return self.weighted or self.size < int(self.settings.get("peers") or 0)

    @property
    def independent(self) -> bool:
        """Whether its paths know nothing of each other."""
        return is_baseline(self.settings.get("method.name"), self.settings.get("method.explain"))

    @property
    def routed(self) -> bool:
        """Whether a router decides whom its paths hear, as in LeaP; not so where it lets them hear nobody."""
        return hears(self.settings.get("router.name"))

    @property
    def single(self) -> "tuple[Run, ...]":
        """The runs of single seeds that it is of."""
        return self.parts or (self,)

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The seeds of its runs."""
        return tuple(part.settings.get("seed") for part in self.single)

    def setting(self, *but: str) -> dict[str, Any]:
        """What determined the result, without the groups of keys `but`."""
        return determining(self.settings, but)


def compare(
    folders: Sequence[str | Path],
    questions: Asked = None,
    groups: int | None = None,
    these: bool = False,
    seeds_pooled: bool = False,
) -> list[Row]:
    """A row per run folder: independent baselines first, then in the order of the folders, each folder once.

    `questions` are ids, the same for all runs or by run id, and `groups` counts the first groups of each; None is all
    there are. Intervals are for questions like these, or for `these` very questions asked again. `seeds_pooled`: runs
    that differ in their seed alone are one row. `UserError` for a folder that is no run or holds nothing of what was
    asked for.
    """
    distinct = {Path(folder).resolve(): Path(folder) for folder in folders}
    if not distinct:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    wanted = {folder: _wanted(questions, folder.name) for folder in distinct.values()}
    runs = [Run.read(folder, asked, groups) for folder, asked in wanted.items()]
    runs.sort(key=lambda run: not run.independent)
    sizes = [len(_questions_like(run, runs) if (ids := wanted[run.folder]) is None else set(ids)) for run in runs]
    asked = {run.folder: size * (groups or _most_groups(run)) for run, size in zip(runs, sizes, strict=True)}
    runs = pooled(runs) if seeds_pooled else runs
    names = names_of([run.settings for run in runs], [run.folder.name for run in runs])
    return [
        _row(run, name, runs, sum(asked[part.folder] for part in run.single), these)
        for run, name in zip(runs, names, strict=True)
    ]


def corrected(rows: Sequence[Row]) -> list[Row]:
    """The rows with p corrected, of each metric for the family that its comparisons here are, by Holm's method."""
    first = contrasts.corrected([row.against for row in rows], FAMILY)
    others = _corrected([row.others for row in rows], FAMILY)
    controls = _corrected([row.over_control for row in rows], CONTROLS)
    return [
        replace(row, against=against, others=other, over_control=control)
        for row, against, other, control in zip(rows, first, others, controls, strict=True)
    ]


def _corrected(found: Sequence[Mapping[str, Against]], words: str) -> list[dict[str, Against]]:
    """Comparisons by metric, a mapping a row, each metric a family."""
    names = dict.fromkeys(name for own in found for name in own)
    by_name = {name: contrasts.corrected([own.get(name) for own in found], words) for name in names}
    return [
        {name: each for name in own if (each := by_name[name][index]) is not None} for index, own in enumerate(found)
    ]


def _wanted(questions: Asked, run_id: str) -> Sequence[str] | None:
    return questions[run_id] if isinstance(questions, Mapping) else questions


def _row(run: Run, name: str, runs: Sequence[Run], asked: int, these: bool) -> Row:
    found, others = estimates(run.table, these, run.independent), _against(run, baseline_of(run, runs), these)
    control = _against(run, control_of(run, runs), these)
    return Row(
        run_ids=tuple(part.folder.name for part in run.single),
        name=name,
        labels=labels(run.settings),
        questions=run.table["question_id"].nunique(),
        groups=_most_groups(run),
        paths=run.size,
        found=len(run.table),
        asked=asked,
        estimates=found,
        against=others.pop("pass@1", None),
        others=others,
        over_control=control,
        these=these,
        seeds=run.seeds,
        settings=run.settings,
        right=run.table.groupby("question_id")["pass@1"].mean().to_dict(),
        decides=run.decides,
    )


def _against(run: Run, baseline: Run | None, these: bool) -> dict[str, Against]:
    """By metric, the run against another over the questions and seeds that both have; empty without one."""
    if baseline is None:
        return {}
    run, baseline = of_seeds(run, baseline.seeds), of_seeds(baseline, run.seeds)
    shared = sorted(set(run.table["question_id"]) & set(baseline.table["question_id"]))
    names = [name for name in map(str, run.table) if name.startswith(PAIRED) and name in baseline.table]
    if run.settings.get("peers") != baseline.settings.get("peers"):
        names.remove("final")  # one decides from more paths than the other
    return {name: against(run, baseline, shared, name, these) for name in names} if shared else {}


def against(run: Run, other: Run, shared: Sequence[str], name: str = "pass@1", these: bool = False) -> Against:
    """A share such as Pass@1 of one run minus that of another over the questions `shared`."""
    if these:
        left, right = (samples(each.table, name, each.independent, shared) for each in (run, other))
        return Against.of_these(left, right, DIFFERENCE)
    left, right = (by_question(each.table, name, shared) for each in (run, other))
    return Against.of(left, right, DIFFERENCE)


def baseline_of(run: Run, runs: Sequence[Run]) -> Run | None:
    """The independent run that shares the settings of this one, and a seed; None for a baseline itself.

    Where there is none with as many paths, one with another number of them: the Pass@1 of independent paths does not
    depend on how many there are.
    """
    if run.independent:
        return None
    shares = shares_of(run.settings)
    for but in (("seed",), ("seed", "peers")):
        wanted = shared_settings(run.settings, but, shares)
        for other in runs:
            if other.independent and shared_settings(other.settings, but, shares) == wanted and _share(run, other):
                return other
    return None


def control_of(run: Run, runs: Sequence[Run]) -> Run | None:
    """The run that differs from this one in that its paths hear nobody, and shares a seed; None without a router."""
    if not run.routed:
        return None
    wanted = run.setting("router", "seed")
    controls = (each for each in runs if is_control(each.settings.get("router.name")))
    return next((each for each in controls if each.setting("router", "seed") == wanted and _share(run, each)), None)


def _share(run: Run, other: Run) -> bool:
    return not {*run.seeds}.isdisjoint(other.seeds)


def _questions_like(run: Run, runs: Sequence[Run]) -> set[str]:
    """The questions of all runs that take theirs by the same rule: beginnings and difficulty leave some out."""

    def rule(each: Run) -> tuple[bool, Any]:
        return each.settings.get("prefix.name", "none") != "none", each.settings.get("difficulty.name")

    return {question for other in runs if rule(other) == rule(run) for question in other.table["question_id"]}


def _most_groups(run: Run) -> int:
    return int(run.table.groupby("question_id").size().max())
