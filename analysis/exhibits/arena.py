"""All methods of parallel reasoning side by side: what each decides, and what that costs by every measure.

Each is compared with as many independent paths as cost the same (`matched`), at every budget. The Pareto front has the
methods, and numbers of independent paths, that nothing else beats in accuracy and cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from leap_lab.errors import UserError

from ..drawing.figures import Drawings
from ..drawing.numerals import percent, short
from ..drawing.tables import Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.budget import Budget
from ..measures.compare import Run
from ..measures.independent_pool import Pool, pool_of, pools
from ..measures.metrics import endings
from ..measures.shared import INDEPENDENT
from ..stats.front import front
from ..stats.intervals import SHARE, Estimate, Floats, estimate
from . import matched
from .arena_claims import claims, untrained
from .arena_figures import figure
from .base import Exhibit, Further
from .matched import Groups, Matched

NAME = "arena"
NOTES = (
    "decision: the answer that the method decides for: its last one, the one that it selected, or a weighted vote; "
    "without weights the vote of a group's paths. Pass@1: the mean of the paths that have a row; one that its method "
    "stopped counts as wrong.",
    "tokens, FLOPs, critical path: per question, by all paths of a group, helpers and earlier rounds included. "
    "seconds: from a group's first request to its last answer, beside the other groups in flight.",
    "front: how often, of 10,000 resamples of the questions, no other method here, and no number of independent paths, "
    "is as accurate at no higher cost and better in one of the two. *: so it is with the questions as they are.",
)


@dataclass(frozen=True)
class Entry:
    """A method of the arena, over the questions that all of them have."""

    groups: Groups
    name: str
    questions: list[str]
    matched: dict[Budget, Matched]  # p not corrected
    fronts: dict[Budget, tuple[bool, float] | None]  # on the front, and in what share of resamples; None: cost unknown

    @property
    def method(self) -> str:
        """As in `method=`."""
        return str(self.groups.run.settings["method.name"])

    @property
    def untrained(self) -> bool:
        """Whether the built-in model decoded it, which has never seen anything of the kind."""
        return untrained(self.groups.run)

    def decision(self) -> Estimate:
        """The share of questions that the method decides rightly."""
        return estimate(self.groups.values("cons", self.questions), SHARE)


@dataclass(frozen=True)
class Arena:
    """Independent paths of one setting, and the methods that are compared with them."""

    pool: Pool
    questions: list[str]
    entries: list[Entry]

    def price(self, budget: Budget) -> Floats:
        """What 1, 2, ... independent paths cost per question."""
        return self.pool.prices(budget, self.questions)


def arena(folders: Sequence[str | Path]) -> list[Arena]:
    """One for every setting that has independent paths and other runs; `UserError` where there is none."""
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    found = pools(runs)
    others = [run for run in runs if not run.independent and pool_of(run, found) is not None]
    if not others:
        raise UserError(
            "arena: nothing to compare; allowed are independent runs and others of the same model, questions, sampling "
            "and budget"
        )
    names = dict(zip(map(id, others), _names(others), strict=True))
    by_pool = [(pool, [run for run in others if pool_of(run, found) is pool]) for pool in found]
    return [_arena(pool, own, [names[id(run)] for run in own]) for pool, own in by_pool if own]


def _names(runs: Sequence[Run]) -> list[str]:
    """The method where that is enough, or else also what tells its runs apart."""
    methods = [str(run.settings["method.name"]) for run in runs]
    whole = names_of([run.settings for run in runs], [run.folder.name for run in runs])
    return [
        method if methods.count(method) == 1 else name if name.startswith(method) else f"{method} {name}"
        for method, name in zip(methods, whole, strict=True)
    ]


def _arena(pool: Pool, runs: Sequence[Run], names: Sequence[str]) -> Arena:
    every = [Groups.of(run) for run in runs]
    common = sorted(set(pool.questions).intersection(*(groups.questions for groups in every)))
    if not common:
        raise UserError(f"{runs[0].folder}: no question in common with the independent runs and all others")
    fronts = {budget: _front(pool, every, common, budget) for budget in Budget}
    return Arena(
        pool,
        common,
        [
            Entry(
                groups,
                name,
                common,
                {budget: matched.matched(groups, pool, common, budget) for budget in Budget},
                {budget: fronts[budget][index] for budget in Budget},
            )
            for index, (groups, name) in enumerate(zip(every, names, strict=True))
        ],
    )


def _front(
    pool: Pool, every: Sequence[Groups], common: Sequence[str], budget: Budget
) -> list[tuple[bool, float] | None]:
    """Each method's place among the others and every number of independent paths; None where its cost is not known."""
    costs = [np.array([own.mean() for own in groups.costs(budget, common)]) for groups in every]
    values = [np.array([own.mean() for own in groups.values("cons", common)]) for groups in every]
    known = [index for index, cost in enumerate(costs) if not np.isnan(cost).any()]
    alone_values, alone_costs = pool.curve(budget, common)
    if not known or np.isnan(alone_costs).any():
        return [None] * len(every)
    on, share = front(
        np.vstack([*(values[index] for index in known), alone_values]),
        np.vstack([*(costs[index] for index in known), alone_costs]),
    )
    places = {index: (bool(on[place]), float(share[place])) for place, index in enumerate(known)}
    return [places.get(index) for index in range(len(every))]


def cells(found: Sequence[Arena]) -> Cells:
    """A row per method below that of all independent paths of its setting."""
    head = ["method", "N", "questions", "decision %", "Pass@1 %", "tokens", "FLOPs", "critical path", "seconds"]
    fronts = [f"front, {budget.words} %" for budget in Budget]
    lines, ended = [], []
    for each in found:
        lines.append(_alone(each))
        ended.append(each.pool.endings(each.questions))
        lines += [_line(entry) for entry in each.entries]
        ended += [endings(entry.groups.run.table, entry.questions) for entry in each.entries]
    return with_endings([[*head, *fronts], *lines], ended)


def _alone(each: Arena) -> list[str]:
    pool, size = each.pool, each.pool.size(each.questions)
    return [
        *(INDEPENDENT, str(size), str(len(each.questions)), percent(estimate(pool.cons(size, each.questions), SHARE))),
        percent(estimate(pool.means("correct", each.questions), SHARE)),
        *(short(float(each.price(budget)[-1])) for budget in Budget),
        *["", *[""] * len(Budget)],
    ]


def _line(entry: Entry) -> list[str]:
    groups, asked = entry.groups, entry.questions
    return [
        *(entry.name, str(groups.size), str(len(asked)), percent(entry.decision())),
        percent(estimate(groups.values("pass@1", asked), SHARE)),
        *(short(groups.cost(budget, asked)) for budget in Budget),
        f"{np.mean([own.mean() for own in groups.values('seconds', asked)]):.2f}",
        *(_place(entry.fronts[budget]) for budget in Budget),
    ]


def _place(front: tuple[bool, float] | None) -> str:
    return "n/a" if front is None else f"{100 * front[1]:.0f}{'*' if front[0] else ''}"


def _compared(found: Sequence[Arena]) -> Further:
    """Every method against independent paths at every budget; p corrected for all methods at one budget."""
    lines, missing = [], []
    for each in found:
        for budget in Budget:
            column = matched.corrected([entry.matched[budget] for entry in each.entries])
            for entry, one in zip(each.entries, column, strict=True):
                covered = estimate(entry.groups.values("covered", entry.questions), SHARE)
                lines.append(matched.line(entry.name, entry.decision(), covered, one))
                missing += [f"{entry.name}: {one.why}."] if one.why else []
    return Further(matched.TITLE, matched.table(lines), " ".join([matched.NOTE, *missing]))


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """The table of all methods, a figure per cost, and each paper's own claim; errors as in `arena`."""
    found = arena(folders)
    table = cells(found)
    return Exhibit(
        name=NAME,
        title="Methods of parallel reasoning at matched cost",
        source="each method's own paper",
        table=table,
        notes=[*NOTES, *endings_told(table), *_untrained(found)],
        figures=Drawings({f"{NAME}_{budget}": partial(figure, found, budget) for budget in Budget}),
        claims=claims(found),
        runs=list(dict.fromkeys(run for each in found for run in _runs(each))),
        further=[_compared(found)],
    )


def _untrained(found: Sequence[Arena]) -> list[str]:
    """Which rows say nothing of their method."""
    rows = [entry.name for each in found for entry in each.entries if entry.untrained]
    if not rows:
        return []
    return [
        f"{', '.join(rows)}: the built-in model was trained for LeaP's tags alone. It cannot read the answers of "
        "others, compare them, write notes, or think on when told to. These rows say what it does not know, and "
        "nothing of the methods."
    ]


def _runs(each: Arena) -> list[str]:
    return [*each.pool.runs, *(entry.groups.run.folder.name for entry in each.entries)]
