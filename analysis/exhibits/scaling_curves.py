"""The curves of accuracy against cost, and their figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import questions
from ..drawing.numerals import UNITS
from ..measures.budget import Budget
from ..measures.contrasts import Against
from ..stats.intervals import Estimate
from .matched import Matched

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Point:
    """A number of paths, what they cost per question, and their vote."""

    run_id: str | None  # None: of the pool
    name: str
    size: int
    cost: float  # per question
    cons: Estimate
    endings: dict[str, Estimate]  # `metrics.endings`
    matched: Matched | None = None  # None: of the pool

    @property
    def vote(self) -> Against | None:
        """Its vote minus that of independent paths of the same cost."""
        return None if self.matched is None else self.matched.vote


@dataclass(frozen=True)
class Curve:
    """Runs that differ in their number of paths alone, by cost."""

    name: str
    method: str
    routed: bool  # whether a router decides whom its paths hear, as in LeaP
    points: list[Point]


@dataclass(frozen=True)
class Agents:
    """Agents that share a budget over rounds, such as a mixture of agents, against a curve of LeaP at their tokens."""

    name: str
    method: str
    curve: str
    against: Against | None
    why: str = ""  # there is none


@dataclass(frozen=True)
class Scaling:
    """One setting: its independent paths, every other method, and agents against LeaP."""

    questions: int
    curves: list[Curve]  # independent sampling first
    agents: list[Agents]
    run_ids: list[str]


def figure(found: Sequence[Scaling], budget: Budget = Budget.TOKENS) -> "Figure":
    """A panel a setting: Cons over the cost of a question, a line a method; below, the differences at equal cost."""
    panels = [
        Panel("Cons@N (%)", [Series(c.name, [(p.cost, p.cons) for p in c.points]) for c in each.curves])
        for each in found
    ]
    panels += [
        Panel(f"Cons at equal\n{budget.words} (points)", differences, zero=True)
        for differences in map(_at_equal_cost, found)
        if differences
    ]
    places = ticks([point.cost for each in found for curve in each.curves for point in curve.points])
    names = [rounded(place) for place in places]
    n = questions(each.questions for each in found)
    return curves(panels, f"{budget.words} per question ({n})", places, names, log=True)


def _at_equal_cost(found: Scaling) -> list[Series]:
    """The paired differences to independent paths of the same cost, by curve."""
    lines = {c.name: [(p.cost, p.vote.difference) for p in c.points if p.vote is not None] for c in found.curves}
    return [Series(name, points) for name, points in lines.items() if points]


def rounded(place: float) -> str:
    """A round number in few signs, as a tick: 200, 5k, 1G."""
    unit, size = next(((unit, size) for unit, size in UNITS if place >= size), ("", 1.0))
    return f"{place / size:g}{unit}"


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers of a logarithmic axis from the least to the largest value: 1, 2, 5 or 1 of each decade."""
    low, high = math.log10(min(values)), math.log10(max(values))
    steps = (1, 2, 5) if high - low < 2 else (1,)
    exponents = range(math.floor(low) - 1, math.ceil(high) + 1)
    places = [step * 10.0**exponent for exponent in exponents for step in steps]
    return [place for place in places if min(values) / 1.5 <= place <= max(values) * 1.5]
