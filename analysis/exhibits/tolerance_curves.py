"""The curves of accuracy against the share of good beginnings, and their figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..drawing.curves import Marks, Panel, Series, curves
from ..drawing.figures import questions
from ..measures.contrasts import Against
from ..stats.intervals import Estimate
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Level:
    """LeaP with one share of good beginnings."""

    share: float  # of the paths of a group, from 0 to 1
    run_id: str
    correct: Estimate  # Pass@1
    over_bad: Against | None  # minus independent paths that all begin badly
    over_good: Against | None  # minus independent paths that all begin well
    endings: dict[str, Estimate]  # `metrics.endings`


@dataclass(frozen=True)
class Tolerance:
    """Runs that differ only in their share of good beginnings, over the questions common to them and the baselines.

    Baselines, and what is measured against them, are None where the run is not among the folders.
    """

    name: str
    questions: int
    levels: list[Level]  # by share
    bad: Estimate | None
    good: Estimate | None
    passes_bad: Estimate | None  # the share from which on LeaP is no worse; -inf and inf: below, above the shares
    passes_good: Estimate | None
    endings: tuple[dict[str, Estimate], ...]  # of the baselines, bad and good; empty without one
    runs: list[str]


def figure(curves_found: Sequence[Tolerance]) -> "Figure":
    """Pass@1 over the share of good beginnings; bands are independent paths, marks the paper's R1-14B."""
    series = [
        Series(curve.name, [(100 * level.share, level.correct) for level in curve.levels]) for curve in curves_found
    ]
    bands: dict[str, Estimate] = {}
    for curve in curves_found:
        for words, correct in (("all bad", curve.bad), ("all good", curve.good)):
            if correct is not None and correct not in bands.values():
                name = f"independent, {words}"
                bands[f"{name} ({curve.name})" if name in bands else name] = correct
    marks = [Marks("R1-14B", [(0, published()["error_tolerance"]["R1-14B"]["leap_0"])])]
    ticks = sorted({100 * level.share for curve in curves_found for level in curve.levels})
    x = f"good beginnings, % of paths\n{questions(curve.questions for curve in curves_found)}"
    gains = [Panel("gain (points)", lines, zero=True)] if (lines := _gains(curves_found)) else []
    return curves([Panel("Pass@1 (%)", series, bands, marks), *gains], x, ticks)


def _gains(curves_found: Sequence[Tolerance]) -> list[Series]:
    """The paired differences to independent paths that all begin badly, and to those that all begin well."""
    found = []
    for curve in curves_found:
        of = f"{curve.name} " if len(curves_found) > 1 else ""
        for words, name in (("all bad", "over_bad"), ("all good", "over_good")):
            places = [(100 * level.share, getattr(level, name)) for level in curve.levels]
            points_found = [(place, against.difference) for place, against in places if against is not None]
            if points_found:
                found.append(Series(f"{of}over {words}", points_found))
    return found
