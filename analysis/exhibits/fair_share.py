"""M groups of N paths with peers against M x N independent paths, at equal numbers and at equal cost.

Pass@1 of a LeaP path is no number of one path: its group worked for it. Here all that a question cost counts, and all
that it gave: one vote over the paths of all its groups, and whether one of them is right. The groups of a question are
decoded apart from each other. The control has as many groups of as many paths that pause and hear nobody: what it
gains is not due to peers' words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leap_lab.errors import UserError

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import COUNTS, counted, percent, short
from ..drawing.tables import ASSUMED, CONTROL, Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.budget import Budget
from ..measures.compare import Run, control_of
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.independent_pool import Pool, pool_of, pools
from ..measures.metrics import endings
from ..measures.shared import INDEPENDENT, is_control
from ..measures.votes import RULE
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, estimate
from . import matched
from .base import Claim, Exhibit, Further
from .matched import Groups, Matched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Figure 5, over whole questions"
CONTROLS = "comparisons with the control in this table"
MEASURES = {"pass@1": "Pass@1", "cons": "Cons", "covered": "pass"}  # of a question, by what tables call them
NOTES = (
    "M×N: groups of a question and paths of each. Cons, pass: of all M×N paths of a question, their vote, and whether "
    "one of them is right. Costs are of all M×N paths, helpers included; groups go side by side, so the longest "
    "critical path counts.",
    "independent: of as many paths, the mean over the ways to draw them from all independent paths of the setting.",
    f"Cons: majority vote. {RULE}",
)


@dataclass(frozen=True)
class Share:
    """What all paths of a question gave and cost, the mean over questions; of a run, or of so many independent ones."""

    run_ids: tuple[str, ...]
    name: str
    split: str  # groups and paths of each, such as 2x8
    questions: int
    measures: dict[str, Estimate]  # by `MEASURES`
    costs: dict[Budget, float]  # per question; NaN where it is not known
    endings: dict[str, Estimate] = field(default_factory=dict)
    routed: bool = False  # whether its paths hear peers
    control: bool = False  # whether they pause and hear nobody
    matched: tuple[Matched, ...] = ()  # by number of paths, then by budget; none without a pool
    over_control: dict[str, Against] = field(default_factory=dict)
    why: str = ""  # there is no pool


def fair_share(folders: Sequence[str | Path], budgets: Sequence[Budget] = tuple(Budget)) -> list[Share]:
    """Independent paths in the numbers that runs have, then the other runs in the order of the folders.

    `UserError` when there is no other run.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    others = [run for run in runs if not run.independent]
    if not others:
        raise UserError("fair_share: independent runs only; allowed are runs of other methods along with them")
    found = pools(runs)
    names = names_of([run.settings for run in others], [run.folder.name for run in others])
    groups = {run.folder: Groups.together(run) for run in others}
    shares = [
        _share(run, groups, name, pool_of(run, found), control_of(run, others), budgets)
        for run, name in zip(others, names, strict=True)
    ]
    used = [pool for pool in found if any(pool_of(run, found) is pool for run in others)]
    sizes = sorted({own.size for own in groups.values()})
    alone = [_alone(pool, size) for pool in used for size in sizes if size <= pool.size(pool.questions)]
    return [*alone, *shares]


def _share(
    run: Run,
    groups: dict[Path, Groups],
    name: str,
    pool: Pool | None,
    control: Run | None,
    budgets: Sequence[Budget],
) -> Share:
    own = groups[run.folder]
    shared = own.questions if pool is None else sorted({*own.questions} & {*pool.questions})
    asked = shared or own.questions
    found = Share(
        run_ids=(run.folder.name,),
        name=name,
        split=f"{own.size // run.size}×{run.size}",
        questions=len(asked),
        measures={key: estimate(own.values(key, asked), SHARE) for key in MEASURES},
        costs={budget: own.cost(budget, asked) for budget in Budget},
        endings=endings(own.run.table, asked),
        routed=run.routed,
        control=is_control(run.settings.get("router.name")),
        over_control={} if control is None else _over(own, groups[control.folder]),
    )
    if pool is None or not shared:
        return replace(found, why="no independent run with its model, questions, sampling and budget")
    by_budget = (matched.matched(own, pool, shared, budget) for budget in budgets)
    return replace(found, matched=(matched.as_many(own, pool, shared), *by_budget))


def _over(own: Groups, control: Groups) -> dict[str, Against]:
    """A run minus its control by every measure, over the questions that both have; empty unless both are as large."""
    shared = sorted({*own.questions} & {*control.questions})
    if own.size != control.size or not shared:
        return {}
    return {key: Against.of(own.values(key, shared), control.values(key, shared), DIFFERENCE) for key in MEASURES}


def _alone(pool: Pool, size: int) -> Share:
    asked = pool.questions
    values = {
        "pass@1": pool.means("correct", asked),
        "cons": pool.cons(size, asked),
        "covered": pool.coverage(size, asked),
    }
    return Share(
        run_ids=pool.runs,
        name=INDEPENDENT,
        split=str(size),
        questions=len(asked),
        measures={key: estimate(found, SHARE) for key, found in values.items()},
        costs={budget: float(pool.prices(budget, asked)[size - 1]) for budget in Budget},
        endings=pool.endings(asked),
    )


def corrected(found: Sequence[Share]) -> list[Share]:
    """All comparisons with p corrected: of all runs at one budget, and of each measure with the control."""
    some = [each for each in found if each.matched]
    columns = [matched.corrected(column) for column in zip(*(each.matched for each in some), strict=True)]
    at = dict(zip((id(each) for each in some), zip(*columns, strict=True), strict=True))
    over = {key: family([each.over_control.get(key) for each in found], CONTROLS) for key in MEASURES}
    return [
        replace(
            each,
            matched=at.get(id(each), ()),
            over_control={key: one for key in each.over_control if (one := over[key][index]) is not None},
        )
        for index, each in enumerate(found)
    ]


def cells(found: Sequence[Share]) -> Cells:
    """Shares in percent and what a question cost, a row for each."""
    head = ["run", "M×N", "questions", "Pass@1 %", "Cons %", "pass %"]
    head += ["tokens/question", "FLOPs/question", "critical path"]
    lines = [
        [
            *(each.name, each.split, str(each.questions)),
            *(percent(each.measures[key]) for key in MEASURES),
            *(short(each.costs[budget]) for budget in (Budget.TOKENS, Budget.FLOPS)),
            "n/a" if np.isnan(each.costs[Budget.CRITICAL_PATH]) else f"{each.costs[Budget.CRITICAL_PATH]:.0f}",
        ]
        for each in found
    ]
    return with_endings([head, *lines], [each.endings for each in found])


def _against(found: Sequence[Share]) -> Further:
    """Every run against as many independent paths, and against those that each budget buys."""
    lines = [
        matched.line(f"{each.name} ({each.split})", each.measures["cons"], each.measures["covered"], one)
        for each in found
        for one in each.matched
    ]
    missing = [f"{each.name}: {one.why}." for each in found for one in each.matched if one.why]
    missing += [f"{each.name}: {each.why}." for each in found if each.why]
    told = "N, n: all paths of a question. budget paths: as many as the run has, whatever they cost."
    return Further(matched.TITLE, matched.table(lines), " ".join([told, matched.NOTE, *missing]))


def _controls(found: Sequence[Share]) -> list[Further]:
    """Every run against its control; nothing without one."""
    lines = [
        [f"{each.name} ({each.split})", MEASURES[key], counted(one)]
        for each in found
        for key, one in each.over_control.items()
    ]
    if not lines:
        return []
    families = {str(one.family) for each in found for one in each.over_control.values()} - {""}
    told = [f"Of each metric, p is {words} (Holm)." for words in sorted(families)]
    note = " ".join([f"router=none is {CONTROL} Differences in points.", *told, COUNTS, ASSUMED])
    return [Further("Against the control", [["run", "metric", "difference"], *lines], note)]


def exhibit(folders: Sequence[str | Path], budget: str | None = None) -> Exhibit:
    """Whole questions side by side, held equal by one budget or by each; errors as in `fair_share`.

    What is claimed is at that budget, or else at that of tokens.
    """
    one = Budget.named(budget)
    found = corrected(fair_share(folders, (one,) if one else tuple(Budget)))
    table = cells(found)
    return Exhibit(
        name="fair_share",
        title="Several groups against as many independent paths",
        source="not in the paper; its review asks for it",
        table=table,
        notes=[*NOTES, *endings_told(table)],
        figures=Drawings({"fair_share": partial(figure, found)}),
        claims=[_claim(each, one or Budget.TOKENS) for each in found if each.routed],
        runs=list(dict.fromkeys(run for each in found for run in each.run_ids)),
        further=[_against(found), *_controls(found)],
    )


def _claim(each: Share, budget: Budget) -> Claim:
    held = next((one for one in each.matched if one.budget is budget), None)
    name = f"{each.split} paths, {each.name}"
    return matched.claim(name, held or Matched(budget, each.costs[budget], why=each.why), SOURCE)


def figure(found: Sequence[Share]) -> "Figure":
    """Cons and pass of whole questions, and the vote against independent paths, a place on the x axis a row."""
    places = range(len(found))
    shown = [
        Panel(words, [Series("", [(p, each.measures[key]) for p, each in zip(places, found, strict=True)])])
        for key, words in (("cons", "Cons of all (%)"), ("covered", "pass of all (%)"))
    ]
    held = {one.words: one.budget for each in found for one in each.matched}
    for words in held:
        differences = [
            (p, one.vote.difference)
            for p, each in zip(places, found, strict=True)
            for one in each.matched
            if one.words == words and one.vote is not None
        ]
        if differences:
            shown.append(Panel(f"Cons at equal\n{words} (points)", [Series("", differences)], zero=True))
    names = [f"{each.name} {each.split}" if each.name == INDEPENDENT else each.name for each in found]
    drawn = curves(shown, questions(each.questions for each in found), places, names, join=False)
    for label in drawn.axes[-1].get_xticklabels():
        label.set(rotation=30, ha="right")
    return drawn
