"""Accuracy against the cost of a question (Figures 6 and 26): the vote of more and more paths, alone and with peers.

The cost is all sampled tokens, as in the paper, or another budget.

Every curve is over the questions that all of them have, so that they can be read against each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from leap_lab.errors import UserError

from ..drawing.figures import Drawings
from ..drawing.numerals import COUNTS, counted, percent, short
from ..drawing.tables import ASSUMED, Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.budget import Budget
from ..measures.compare import Run
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.independent_pool import Pool, pool_of, pools
from ..measures.metrics import endings
from ..measures.shared import INDEPENDENT, budget_of
from ..measures.votes import RULE
from ..stats.intervals import DIFFERENCE, SHARE, Floats, estimate
from . import matched
from .base import Claim, Exhibit, directional
from .matched import Groups
from .scaling_curves import Agents, Curve, Point, Scaling, figure

PAPERS = {"moa": "Mixture of agents"}  # what the paper calls a method; any other goes by its own name
UNTOLD = ("peers", "method.max_tokens")  # not in the name of a curve: its x axis, and that agents share a budget
VOTES, AGENTS = "comparisons at equal cost in this table", "comparisons of agents with LeaP"
GRID = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
NOTES = (
    "per question: all that a group takes, helpers and earlier layers included, probes left out. independent: the "
    "votes of that many paths drawn from all independent paths of the setting.",
    "at equal cost: Cons@N minus the Cons of as many independent paths as cost the same, in points, p corrected for "
    "all of this table (Holm).",
    COUNTS,
    ASSUMED,
    f"Cons: majority vote. {RULE}",
)


@dataclass(frozen=True)
class _Named:
    groups: Groups
    name: str

    @property
    def method(self) -> str:
        return str(self.groups.run.settings["method.name"])

    @property
    def routed(self) -> bool:
        return self.groups.run.routed

    @property
    def in_rounds(self) -> bool:
        return budget_of(self.groups.run.settings) == "rounds" and not self.routed


def scaling(folders: Sequence[str | Path], budget: Budget = Budget.TOKENS) -> list[Scaling]:
    """One for each pool of independent paths that other runs share the setting of.

    `UserError` when no run has such a pool, runs of one setting have no question in common, or a cost is not known.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    found = pools(runs)
    others = [run for run in runs if not run.independent and pool_of(run, found) is not None]
    if not others:
        raise UserError(
            "scaling: nothing to compare; allowed are independent runs and others of the same model, questions, "
            "sampling and budget"
        )
    names = names_of([run.settings for run in others], [run.folder.name for run in others])
    named = [_Named(Groups.of(run), name) for run, name in zip(others, names, strict=True)]
    by_pool = [(pool, [each for each in named if pool_of(each.groups.run, found) is pool]) for pool in found]
    return [_scaling(pool, own, budget) for pool, own in by_pool if own]


def _scaling(pool: Pool, runs: Sequence[_Named], budget: Budget) -> Scaling:
    common = sorted(set(pool.questions).intersection(*(each.groups.questions for each in runs)))
    if not common:
        raise UserError(f"{runs[0].groups.run.folder}: no question in common with the independent runs and all others")
    costs = [pool.prices(budget, common)[0], *(each.groups.cost(budget, common) for each in runs)]
    if any(math.isnan(cost) for cost in costs):
        raise UserError(
            f"--budget={budget}: the {budget.words} of these runs are not known; allowed are tokens and critical_path"
        )
    families = _families(runs)
    shared = [{**own[0].groups.run.settings, **dict.fromkeys(UNTOLD)} for own in families]
    labels = names_of(shared, [own[0].name for own in families])
    drawn = [
        Curve(label, own[0].method, own[0].routed, [_point(each, pool, common, budget) for each in own])
        for label, own in zip(labels, families, strict=True)
    ]
    agents = [
        _agents(each, label, own, common, budget)
        for each in runs
        if each.in_rounds
        for label, own in zip(labels, families, strict=True)
        if own[0].routed
    ]
    run_ids = [*pool.runs, *(each.groups.run.folder.name for each in runs)]
    return Scaling(len(common), [_alone(pool, common, budget), *drawn], agents, run_ids)


def _families(runs: Sequence[_Named]) -> list[list[_Named]]:
    """Runs by what they share beside their number of paths, each family by that."""
    found: dict[str, list[_Named]] = {}
    for each in runs:
        found.setdefault(repr(sorted(each.groups.run.setting("peers").items())), []).append(each)
    return [sorted(own, key=lambda each: each.groups.size) for own in found.values()]


def _alone(pool: Pool, common: Sequence[str], budget: Budget) -> Curve:
    size, prices, ended = pool.size(common), pool.prices(budget, common), pool.endings(common)
    counts = sorted({*(count for count in GRID if count < size), size})
    return Curve(
        INDEPENDENT,
        INDEPENDENT,
        False,
        [
            Point(None, INDEPENDENT, count, float(prices[count - 1]), estimate(pool.cons(count, common), SHARE), ended)
            for count in counts
        ],
    )


def _point(each: _Named, pool: Pool, common: Sequence[str], budget: Budget) -> Point:
    groups = each.groups
    found = matched.matched(groups, pool, common, budget)
    cons = estimate(groups.values("cons", common), SHARE)
    ended = endings(groups.run.table, common)
    return Point(groups.run.folder.name, each.name, groups.size, found.cost, cons, ended, found)


def _agents(moa: _Named, label: str, curve: Sequence[_Named], common: Sequence[str], budget: Budget) -> Agents:
    cost = moa.groups.cost(budget, common)
    votes = between([each.groups for each in curve], budget, cost, common)
    if votes is None:
        spent = sorted(each.groups.cost(budget, common) for each in curve)
        told = f"its {budget.words} per question ({short(cost)})"
        why = f"{told} are outside those of LeaP ({short(spent[0])} to {short(spent[-1])})"
        return Agents(moa.name, moa.method, label, None, why)
    return Agents(moa.name, moa.method, label, Against.of(moa.groups.values("cons", common), votes, DIFFERENCE))


def between(curve: Sequence[Groups], budget: Budget, cost: float, questions: Sequence[str]) -> list[Floats] | None:
    """The vote on each question by a straight line between the two runs next to this cost; None outside of all."""
    means = [np.array([groups.mean() for groups in each.values("cons", questions)]) for each in curve]
    ordered = sorted(
        zip((each.cost(budget, questions) for each in curve), means, strict=True), key=lambda pair: pair[0]
    )
    for (left, before), (right, after) in pairwise([ordered[0], *ordered]):
        if left <= cost <= right:
            weight = (cost - left) / (right - left) if right > left else 0.0
            return [np.array([vote]) for vote in (1 - weight) * before + weight * after]
    return None


def corrected(found: Sequence[Scaling]) -> list[Scaling]:
    """Every comparison at equal cost with p corrected for the family of all of them; and so with those of agents."""
    votes = iter(family([p.vote for each in found for curve in each.curves for p in curve.points], VOTES))
    agents = iter(family([each.against for one in found for each in one.agents], AGENTS))
    return [
        replace(
            each,
            curves=[
                replace(curve, points=[_with(point, next(votes)) for point in curve.points]) for curve in each.curves
            ],
            agents=[replace(one, against=next(agents)) for one in each.agents],
        )
        for each in found
    ]


def _with(point: Point, vote: Against | None) -> Point:
    return replace(point, matched=point.matched and replace(point.matched, vote=vote))


def cells(found: Sequence[Scaling], budget: Budget = Budget.TOKENS) -> Cells:
    """Every point of every curve: votes in percent, differences in points, 95% intervals over questions."""
    lines = [
        [
            *(curve.name, str(point.size), str(each.questions), short(point.cost), percent(point.cons)),
            "" if point.run_id is None else counted(point.vote),
        ]
        for each in found
        for curve in each.curves
        for point in curve.points
    ]
    head = ["run", "N", "questions", f"{budget.words} per question", "Cons@N %", "at equal cost"]
    ended = [point.endings for each in found for curve in each.curves for point in curve.points]
    return with_endings([head, *lines], ended)


def exhibit(folders: Sequence[str | Path], budget: str | None = None) -> Exhibit:
    """The vote against the cost of a question, all its tokens if no other budget is named; errors as in `scaling`."""
    budget = Budget.named(budget) or Budget.TOKENS
    found = corrected(scaling(folders, budget))
    measured = [
        (curve, point, point.matched)
        for each in found
        for curve in each.curves
        for point in curve.points
        if point.matched is not None
    ]
    table = cells(found, budget)
    return Exhibit(
        name="scaling",
        title=f"Accuracy against the {budget.words} of a question",
        source="Figures 6 and 26",
        table=table,
        notes=[
            *NOTES,
            *endings_told(table),
            *(f"{point.name}, at equal cost: n/a, {one.why}." for _, point, one in measured if one.why),
        ],
        figures=Drawings({"scaling": partial(figure, found, budget)}),
        claims=[
            *(matched.claim(point.name, one, "Figure 6") for curve, point, one in measured if curve.routed),
            *(_below(one, budget) for each in found for one in each.agents),
        ],
        runs=list(dict.fromkeys(run for each in found for run in each.run_ids)),
    )


def _below(agents: Agents, budget: Budget) -> Claim:
    kind = matched.NAMES[budget]
    method = PAPERS.get(agents.method, agents.method)
    text = f"{method} is below LeaP at a matched {kind} budget ({agents.name}, {agents.curve})."
    if agents.against is None:
        return Claim(text, "Appendix F", "undecided", f"LeaP was not measured there: {agents.why}.")
    return directional(text, "Appendix F", agents.against, up=False)
