"""Accuracy against all tokens of a question (Figures 6 and 26): the vote of more and more paths, alone and with peers.

Every curve is over the questions that all of them have, so that they can be read against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.compare import INDEPENDENT, Against, Run, names_of
from analysis.curves import Panel, Series, curves
from analysis.efficiency import Groups, at_equal_tokens, contrast, matched_claim
from analysis.exhibit import Claim, Exhibit, directional
from analysis.pool import Pool, pool_of, pools
from analysis.stats import DIFFERENCE, SHARE, Estimate, Floats, estimate, holm
from analysis.tables import Cells, percent, points
from leap_lab.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOA = "moa"
GRID = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
NOTES = (
    "tokens/question: all that a group samples, probes left out. independent: the votes of that many paths drawn from "
    "all independent paths of the setting.",
    "at equal tokens: Cons@N minus the Cons of as many independent paths as the same tokens pay for, in points, "
    "p corrected for all of this table (Holm).",
)


@dataclass(frozen=True)
class Point:
    """A number of paths, what they sample per question, and their vote."""

    run_id: str | None  # None: of the pool
    name: str
    size: int
    tokens: float  # per question
    cons: Estimate
    matched: Against | None = None
    why: str = ""  # there is no `matched`


@dataclass(frozen=True)
class Curve:
    """Runs that differ in their number of paths alone, by tokens."""

    name: str
    method: str
    points: list[Point]


@dataclass(frozen=True)
class Agents:
    """A mixture of agents against a curve of LeaP at its own tokens."""

    name: str
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


@dataclass(frozen=True)
class _Named:
    groups: Groups
    name: str

    @property
    def method(self) -> str:
        return str(self.groups.run.settings["method.name"])


def scaling(folders: Sequence[str | Path]) -> list[Scaling]:
    """One for each pool of independent paths that other runs share the setting of.

    `UserError` when no run has such a pool, or runs of one setting have no question in common.
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
    return [_scaling(pool, own) for pool, own in by_pool if own]


def _scaling(pool: Pool, runs: Sequence[_Named]) -> Scaling:
    common = sorted(set(pool.questions).intersection(*(each.groups.questions for each in runs)))
    if not common:
        raise UserError(f"{runs[0].groups.run.folder}: no question in common with the independent runs and all others")
    families = _families(runs)
    shared = [{**own[0].groups.run.settings, "peers": None} for own in families]
    labels = names_of(shared, [own[0].name for own in families])
    drawn = [
        Curve(label, own[0].method, [_point(each, pool, common) for each in own])
        for label, own in zip(labels, families, strict=True)
    ]
    agents = [
        _agents(each, label, own, common)
        for each in runs
        if each.method == MOA
        for label, own in zip(labels, families, strict=True)
        if own[0].method == "leap"
    ]
    run_ids = [*pool.runs, *(each.groups.run.folder.name for each in runs)]
    return Scaling(len(common), [_alone(pool, common), *drawn], agents, run_ids)


def _families(runs: Sequence[_Named]) -> list[list[_Named]]:
    """Runs by what they share beside their number of paths, each family by that."""
    found: dict[str, list[_Named]] = {}
    for each in runs:
        found.setdefault(repr(sorted(each.groups.run.setting("peers").items())), []).append(each)
    return [sorted(own, key=lambda each: each.groups.size) for own in found.values()]


def _alone(pool: Pool, common: Sequence[str]) -> Curve:
    size, one = pool.size(common), pool.tokens(common)
    counts = sorted({*(count for count in GRID if count < size), size})
    return Curve(
        INDEPENDENT,
        INDEPENDENT,
        [Point(None, INDEPENDENT, count, count * one, estimate(pool.cons(count, common), SHARE)) for count in counts],
    )


def _point(each: _Named, pool: Pool, common: Sequence[str]) -> Point:
    groups = each.groups
    _, matched, why = at_equal_tokens(groups, pool, common)
    cons = estimate(groups.values("cons", common), SHARE)
    return Point(groups.run.folder.name, each.name, groups.size, groups.total(common), cons, matched, why)


def _agents(moa: _Named, label: str, curve: Sequence[_Named], common: Sequence[str]) -> Agents:
    tokens = moa.groups.total(common)
    votes = between([each.groups for each in curve], tokens, common)
    if votes is None:
        spent = sorted(each.groups.total(common) for each in curve)
        why = f"its {tokens:.0f} tokens per question are outside those of LeaP ({spent[0]:.0f} to {spent[-1]:.0f})"
        return Agents(moa.name, label, None, why)
    return Agents(moa.name, label, contrast(moa.groups.values("cons", common), votes, DIFFERENCE))


def between(curve: Sequence[Groups], tokens: float, questions: Sequence[str]) -> list[Floats] | None:
    """The vote on each question by a straight line between the two runs next to these tokens; None outside of all."""
    means = [np.array([groups.mean() for groups in each.values("cons", questions)]) for each in curve]
    ordered = sorted(zip((each.total(questions) for each in curve), means, strict=True), key=lambda pair: pair[0])
    for (left, before), (right, after) in pairwise([ordered[0], *ordered]):
        if left <= tokens <= right:
            weight = (tokens - left) / (right - left) if right > left else 0.0
            return [np.array([vote]) for vote in (1 - weight) * before + weight * after]
    return None


def corrected(found: Sequence[Scaling]) -> list[Scaling]:
    """Every comparison at equal tokens with p corrected for the family of all of them; and so with those of agents."""
    family = [point.matched for each in found for curve in each.curves for point in curve.points]
    matched = iter(holm([each.p if each else None for each in family]))
    agents = iter(holm([each.against.p if each.against else None for one in found for each in one.agents]))
    return [
        replace(
            each,
            curves=[
                replace(curve, points=[replace(p, matched=_with(p.matched, next(matched))) for p in curve.points])
                for curve in each.curves
            ],
            agents=[replace(one, against=_with(one.against, next(agents))) for one in each.agents],
        )
        for each in found
    ]


def _with(against: Against | None, p: float | None) -> Against | None:
    return against and replace(against, p=p, family=True)


def cells(found: Sequence[Scaling]) -> Cells:
    """Every point of every curve: votes in percent, differences in points, 95% intervals over questions."""
    lines = [
        [
            *(curve.name, str(point.size), str(each.questions), f"{point.tokens:.0f}", percent(point.cons)),
            "" if point.run_id is None else points(point.matched),
        ]
        for each in found
        for curve in each.curves
        for point in curve.points
    ]
    return [["run", "N", "questions", "tokens/question", "Cons@N %", "at equal tokens"], *lines]


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """The vote against all tokens of a question, and what the paper says of it; errors as in `scaling`."""
    found = corrected(scaling(folders))
    measured = [(curve, point) for each in found for curve in each.curves for point in curve.points if point.run_id]
    return Exhibit(
        name="scaling",
        title="Accuracy against all tokens of a question",
        source="Figures 6 and 26",
        table=cells(found),
        notes=[*NOTES, *(f"{p.name}, at equal tokens: n/a, {p.why}." for _, p in measured if p.why)],
        figures={"scaling": figure(found)},
        claims=[
            *(
                matched_claim(point.name, point.matched, point.why, "Figure 6")
                for curve, point in measured
                if curve.method.startswith("leap")
            ),
            *(_below(one) for each in found for one in each.agents),
        ],
        runs=list(dict.fromkeys(run for each in found for run in each.run_ids)),
    )


def figure(found: Sequence[Scaling]) -> "Figure":
    """One panel a setting: Cons over the tokens of a question, by a line for each method."""
    panels = [
        Panel("Cons@N (%)", [Series(c.name, [(p.tokens, p.cons) for p in c.points]) for c in each.curves])
        for each in found
    ]
    n = sorted({each.questions for each in found})
    questions = str(n[0]) if len(n) == 1 else f"{n[0]}–{n[-1]}"
    return curves(panels, f"sampled tokens per question, all paths (n = {questions} questions)", log=True)


def _below(agents: Agents) -> Claim:
    text = f"Mixture of agents is below LeaP at a matched token budget ({agents.name}, {agents.curve})."
    if agents.against is None:
        return Claim(text, "Appendix F", "undecided", f"LeaP was not measured there: {agents.why}.")
    return directional(text, "Appendix F", agents.against.difference, up=False, p=agents.against.p)
