"""A run against as many independent paths as its budget buys, by sampled tokens, operations or the critical path.

The number of paths is that whose mean cost per question is the run's, between whole numbers by a straight line, and so
are their votes and coverage: means over the ways to draw so many of all independent paths of a question. Beyond what
was measured there is no number. The number of paths is one for all questions and taken as given: intervals are of the
paired differences, resampling questions, and groups within them.

Pass@1 of independent paths does not change with their number, so no budget matters to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..drawing.numerals import COUNTS, counted, percent, short
from ..drawing.tables import ASSUMED, Cells
from ..load import load
from ..measures.budget import COLUMNS, SLACK, Budget, bought, of_groups
from ..measures.compare import Run
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.independent_pool import READ, Pool
from ..measures.metrics import ENDINGS, by_question, ended
from ..measures.votes import majority, named
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, Floats, estimate
from .base import Claim, directional

NAMES = {Budget.TOKENS: "token", Budget.FLOPS: "FLOPs", Budget.CRITICAL_PATH: "critical-path"}
FAMILY = "runs at this budget"
_SPENT: dict[Budget, Callable[[pd.Series], float]] = {  # by all groups of a question, which go side by side
    Budget.TOKENS: lambda own: float(own.sum(skipna=False)),
    Budget.FLOPS: lambda own: float(own.sum(skipna=False)),
    Budget.CRITICAL_PATH: lambda own: float(own.max(skipna=False)),
}
TITLE = "Against independent sampling at matched budgets"
HEAD = (
    *("run", "budget", "per question", "independent paths", "Cons@N %", "theirs %", "difference"),
    *("pass@N %", "their pass@n %", "pass difference"),
)
NOTE = (
    "independent paths: as many as cost the run's budget, the mean per question, votes and coverage (pass@n: one of n "
    "is right) between whole numbers by a straight line, none beyond what was measured. theirs: of so many. "
    "Differences in points, p corrected for all runs at one budget (Holm). Pass@1 of independent paths does not depend "
    f"on how many there are. < 1, > n: not measured, and so there is no comparison. {COUNTS} {ASSUMED}"
)


@dataclass(frozen=True)
class Groups:
    """One run's groups with what matching needs beyond `metrics`: arrays of groups per question.

    `cons` is the decision of the run's method (`final`), for most the majority vote.
    """

    run: Run
    size: int
    questions: list[str]

    @classmethod
    def of(cls, run: Run) -> "Groups":
        """The groups of a run, each with its vote, whether a path is right, and what it cost by every budget."""
        paths = load([run.folder], ("question_id", "group", "path", "correct", "started_s", "finished_s", *COLUMNS))
        costs, grouped = of_groups(paths), paths.groupby(["question_id", "group"])
        costs = costs.assign(
            covered=grouped["correct"].max().astype(float),
            seconds=grouped["finished_s"].max() - grouped["started_s"].min(),
        ).rename(columns=_column)
        table = run.table.assign(cons=run.table["final"]).join(costs, on=["question_id", "group"])
        questions = sorted(table["question_id"].unique())
        return cls(replace(run, table=table), int(grouped.size().max()), questions)

    @classmethod
    def together(cls, run: Run) -> "Groups":
        """All groups of a question as one group with all their paths, over the questions that have most groups."""
        paths = load([run.folder], READ)
        counts = paths.groupby("question_id")["group"].nunique()
        paths = paths[paths["question_id"].map(counts) == counts.max()]
        paths = paths.assign(said=named(paths), **ended(paths))
        questions = paths.groupby("question_id")
        shares = questions[[name for name in ("correct", *ENDINGS) if name in paths]].mean().astype(float)
        costs = of_groups(paths).groupby("question_id")
        votes = {question: majority(list(own["said"]), list(own["correct"])) for question, own in questions}
        spent = {name: costs[name.value].agg(_SPENT[name]) for name in Budget}
        table = shares.rename(columns={"correct": "pass@1"}).assign(
            group=0,
            cons=pd.Series(votes),
            covered=questions["correct"].max().astype(float),
            **{_column(name): found for name, found in spent.items()},
        )
        return cls(replace(run, table=table.reset_index()), int(questions.size().max()), sorted(table.index))

    def values(self, name: str, questions: Sequence[str]) -> list[Floats]:
        """`cons`, `covered` or a metric of `per_group`, in the order of the questions."""
        return by_question(self.run.table, name, questions)

    def costs(self, budget: Budget, questions: Sequence[str]) -> list[Floats]:
        """What each group cost; NaN where that is not known."""
        return self.values(_column(budget), questions)

    def cost(self, budget: Budget, questions: Sequence[str]) -> float:
        """Per question, the mean over questions."""
        return float(np.mean([groups.mean() for groups in self.costs(budget, questions)]))


@dataclass(frozen=True)
class Matched:
    """A run and the independent paths that one of its budgets buys; None where there are none, and `why`."""

    budget: Budget | None  # None: as many paths as the run has
    cost: float  # per question; paths, where these are held equal
    paths: float | None = None
    cons: Estimate | None = None  # of so many independent paths
    vote: Against | None = None  # the run's Cons minus theirs
    coverage: Estimate | None = None
    covers: Against | None = None  # the run's coverage minus theirs
    beyond: str = ""  # where the number of paths lies if it was not measured, such as "> 8"
    why: str = ""

    @property
    def words(self) -> str:
        """What is held equal."""
        return "paths" if self.budget is None else self.budget.words


def matched(groups: Groups, pool: Pool, questions: Sequence[str], budget: Budget) -> Matched:
    """The comparison over these questions, which run and pool both have."""
    found = Matched(budget, groups.cost(budget, questions))
    prices = pool.prices(budget, questions)
    if not prices[0] * (1 - SLACK) <= found.cost <= prices[-1] * (1 + SLACK):
        return _unmatched(found, prices)
    return _against(found, bought(prices, found.cost), groups, pool, questions)


def as_many(groups: Groups, pool: Pool, questions: Sequence[str]) -> Matched:
    """The comparison with as many independent paths as the run has."""
    found, most = Matched(None, float(groups.size)), pool.size(questions)
    if groups.size > most:
        return replace(found, beyond=f"> {most}", why=f"not measured: there are {most} independent paths of a question")
    return _against(found, float(groups.size), groups, pool, questions)


def _against(found: Matched, paths: float, groups: Groups, pool: Pool, questions: Sequence[str]) -> Matched:
    cons, coverage = pool.cons(paths, questions), pool.coverage(paths, questions)
    return replace(
        found,
        paths=paths,
        cons=estimate(cons, SHARE),
        vote=Against.of(groups.values("cons", questions), cons, DIFFERENCE),
        coverage=estimate(coverage, SHARE),
        covers=Against.of(groups.values("covered", questions), coverage, DIFFERENCE),
    )


def _unmatched(found: Matched, prices: Floats) -> Matched:
    """Why the cost of a run cannot be matched by `prices`, which are of 1, 2, ... paths."""
    words = found.words
    if np.isnan(found.cost) or np.isnan(prices).any():
        return replace(found, beyond="n/a", why=f"the {words} of these runs are not known")
    told = f"not measured: its {words} per question ({short(found.cost)}) are"
    if found.cost < prices[0]:
        return replace(found, beyond="< 1", why=f"{told} less than one independent path takes ({short(prices[0])})")
    most = f"the {len(prices)} independent paths of each question take ({short(prices[-1])})"
    return replace(found, beyond=f"> {len(prices)}", why=f"{told} more than {most}")


def corrected(found: Sequence[Matched]) -> list[Matched]:
    """Comparisons of several runs at one budget, votes and coverage each as a family."""
    votes = family([each.vote for each in found], FAMILY)
    covers = family([each.covers for each in found], FAMILY)
    return [replace(each, vote=v, covers=c) for each, v, c in zip(found, votes, covers, strict=True)]


def line(name: str, cons: Estimate, covered: Estimate, each: Matched) -> list[str]:
    """A run at one budget, as a row of the table under `HEAD`."""
    return [
        *(name, each.words, short(each.cost), each.beyond if each.paths is None else f"{each.paths:.1f}"),
        *(percent(cons), _share(each.cons), counted(each.vote)),
        *(percent(covered), _share(each.coverage), counted(each.covers)),
    ]


def table(lines: Sequence[list[str]]) -> Cells:
    """Rows of `line` under their head."""
    return [[*HEAD], *lines]


def claim(name: str, each: Matched, source: str) -> Claim:
    """What the data say of a run's vote against that of the independent paths that its budget buys."""
    kind = "path" if each.budget is None else NAMES[each.budget]
    text = f"At a matched {kind} budget LeaP's vote beats independent sampling's ({name})."
    if each.vote is None:
        return Claim(text, source, "undecided", f"There is no difference at equal {each.words}: {each.why}.")
    return directional(text, source, each.vote, up=True)


def _share(found: Estimate | None) -> str:
    return "n/a" if found is None else percent(found)


def _column(name: str) -> str:
    """`per_group` has the mean of a path under the budget's own name."""
    return f"cost_{name}" if name in list(Budget) else name
