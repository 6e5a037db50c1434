"""LeaP against collaborative parallel thinking (CPT, 2605.27030) at equal cost, by every measure of it.

CPT's authors report that it beats LeaP in accuracy against latency. What LeaP costs depends on the prefix cache, and so
does what CPT costs, whose board stands at the front of every prompt: operations are counted as measured, with a perfect
cache, and with none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leap_lab.errors import UserError

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import COUNTS, counted, percent, short
from ..drawing.tables import ASSUMED, Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.budget import Budget
from ..measures.compare import Run
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.metrics import endings
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, Floats, estimate
from .arena_claims import WHY, untrained
from .base import Claim, Exhibit, directional
from .matched import Groups
from .scaling import between
from .scaling_curves import rounded, ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "leap_vs_cpt"
FAMILY = "comparisons of CPT with LeaP in this table"
MEASURES = {  # by what to call them: what a group costs, from a `per_group` row
    "sampled tokens": Budget.TOKENS,
    "FLOPs": Budget.FLOPS,
    "FLOPs, perfect cache": "flops_least",
    "FLOPs, no cache": "flops_most",
    "critical path": Budget.CRITICAL_PATH,
}
NOTES = (
    "per question: what a group of N paths takes. LeaP %: its vote at the same cost, by a straight line between its "
    "runs with fewer and with more paths; n/a beyond them. difference: CPT minus LeaP in points, p corrected for all "
    "of this table (Holm).",
    "A perfect cache computes each token of a prompt once, no cache the whole prompt of every request.",
    COUNTS,
    ASSUMED,
)


@dataclass(frozen=True)
class Met:
    """A run of CPT at its cost by one measure, and LeaP's vote there; None where LeaP was not measured, and `why`."""

    name: str
    measure: str
    groups: Groups
    cost: float
    leap: list[Floats] | None
    vote: Against | None = None
    why: str = ""


def leap_vs_cpt(folders: Sequence[str | Path]) -> tuple[list[Met], list[Groups], list[str]]:
    """Every run of CPT met by LeaP, the runs of LeaP, and the questions of all; `UserError` where either is missing."""
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    cpt, leap = ([Groups.of(run) for run in runs if run.settings["method.name"] == name] for name in ("cpt", "leap"))
    if not cpt or not leap:
        raise UserError(f"{NAME}: nothing to compare; needed are runs of method=cpt and of method=leap")
    common = sorted(set(cpt[0].questions).intersection(*(each.questions for each in [*cpt, *leap])))
    if not common:
        raise UserError(f"{NAME}: {cpt[0].run.folder} and {leap[0].run.folder} have no question in common")
    names = names_of([each.run.settings for each in cpt], [each.run.folder.name for each in cpt])
    met = [
        _met(each, f"{name} N={each.size}", measure, leap, common)
        for each, name in zip(cpt, names, strict=True)
        for measure in MEASURES
    ]
    votes = family([each.vote for each in met], FAMILY)
    return [Met(**{**vars(each), "vote": vote}) for each, vote in zip(met, votes, strict=True)], leap, common


def cost(groups: Groups, measure: str, asked: Sequence[str]) -> float:
    """What a question costs this run by one of `MEASURES`; NaN where that is not known."""
    column = MEASURES[measure]
    if isinstance(column, Budget):
        return groups.cost(column, asked)
    if column not in groups.run.table:
        return float("nan")
    return groups.size * float(np.mean([own.mean() for own in groups.values(column, asked)]))


def _met(groups: Groups, name: str, measure: str, leap: Sequence[Groups], asked: Sequence[str]) -> Met:
    own, prices = cost(groups, measure, asked), [cost(each, measure, asked) for each in leap]
    if np.isnan([own, *prices]).any():
        return Met(name, measure, groups, own, None, why=f"the {measure} of these runs are not known")
    votes = between(list(zip(prices, leap, strict=True)), own, asked)
    if votes is None:
        told = f"its {measure} per question ({short(own)}) are outside those of LeaP"
        return Met(name, measure, groups, own, None, why=f"{told} ({short(min(prices))} to {short(max(prices))})")
    return Met(name, measure, groups, own, votes, Against.of(groups.values("cons", asked), votes, DIFFERENCE))


def cells(met: Sequence[Met], asked: Sequence[str]) -> Cells:
    """A row for every run of CPT and measure."""
    lines = [
        [
            *(each.name, str(len(asked)), each.measure, short(each.cost)),
            percent(estimate(each.groups.values("cons", asked), SHARE)),
            "n/a" if each.leap is None else percent(estimate(each.leap, SHARE)),
            counted(each.vote),
        ]
        for each in met
    ]
    head = ["run", "questions", "measure", "per question", "CPT %", "LeaP %", "difference"]
    return with_endings([head, *lines], [endings(each.groups.run.table, asked) for each in met])


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """The table, the curves by every measure, and what the data say of the claim; errors as in `leap_vs_cpt`."""
    met, leap, asked = leap_vs_cpt(folders)
    table = cells(met, asked)
    return Exhibit(
        name=NAME,
        title="LeaP against collaborative parallel thinking at equal cost",
        source="CPT, 2605.27030",
        table=table,
        notes=[*NOTES, *endings_told(table), *(f"{e.name}, {e.measure}: n/a, {e.why}." for e in met if e.why)],
        figures=Drawings({NAME: partial(figure, met, leap, asked)}),
        claims=[_claim(each) for each in met],
        runs=list(dict.fromkeys(e.run.folder.name for e in [*(one.groups for one in met), *leap])),
    )


def _claim(each: Met) -> Claim:
    text, source = f"At equal {each.measure} CPT decides better than LeaP ({each.name}).", "CPT, 2605.27030"
    why = WHY if untrained(each.groups.run) else each.why
    if each.vote is None or why:
        return Claim(text, source, "undecided", f"There is no comparison: {why}.")
    return directional(text, source, each.vote, up=True)


def figure(met: Sequence[Met], leap: Sequence[Groups], asked: Sequence[str]) -> "Figure":
    """A panel a measure: the decision of both against what a question costs, over the cost of LeaP's first run."""
    cpt = list({id(each.groups): each.groups for each in met}.values())
    known = [m for m in MEASURES if not np.isnan([cost(each, m, asked) for each in [*cpt, *leap]]).any()]
    panels = [
        Panel(
            f"{measure}\ndecision (%)",
            [Series(name, _points(runs, measure, leap[0], asked)) for name, runs in (("CPT", cpt), ("LeaP", leap))],
        )
        for measure in known
    ]
    places = ticks([place for panel in panels for series in panel.series for place, _ in series.points])
    x = f"cost over that of LeaP's first run\n({questions([len(asked)])})"
    return curves(panels, x, places, [rounded(place) for place in places], log=True)


def _points(runs: Sequence[Groups], measure: str, unit: Groups, asked: Sequence[str]) -> list[tuple[float, Estimate]]:
    one = cost(unit, measure, asked)
    found = [(cost(each, measure, asked) / one, estimate(each.values("cons", asked), SHARE)) for each in runs]
    return sorted(found, key=lambda point: point[0])
