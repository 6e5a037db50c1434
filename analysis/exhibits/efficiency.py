"""What peers cost (Figures 5, 18 and 19): tokens, operations, reflections, and what independent sampling buys for it.

All that a group samples is counted: thinking, summaries, what was cut, helpers and earlier layers; probes are not, they
only look. How a run stands against independent paths of the same cost: see `matched`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leap_lab.errors import UserError

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import p_value, percent, short
from ..drawing.tables import Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.budget import Budget
from ..measures.compare import Run
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.independent_pool import Pool, pool_of, pools
from ..measures.metrics import endings
from ..measures.shared import INDEPENDENT
from ..measures.votes import RULE
from ..stats.bounded import ALPHA
from ..stats.intervals import SHARE, Estimate, estimate, ratio
from . import matched
from .base import Claim, Exhibit, Further
from .matched import Groups, Matched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTES = (
    "N: paths that answer. tokens: sampled ones, by a path and by all of a question's group. relative: tokens per path "
    "over those of an independent path. critical path: tokens of a group sampled one after another.",
    "independent: all independent paths of the setting together; what so many cost is a mean over ways to draw them.",
    "reflections: keywords of turning back (\N{LEFT DOUBLE QUOTATION MARK}aha\N{RIGHT DOUBLE QUOTATION MARK}) in a "
    "path's own thinking; more: paired difference to independent paths.",
    f"Cons: majority vote. {RULE}",
)


@dataclass(frozen=True)
class Spent:
    """What a run, or a pool of independent paths, gets for its tokens; over the questions common to run and pool."""

    run_ids: tuple[str, ...]
    name: str
    method: str
    routed: bool  # whether a router decides whom its paths hear
    size: int  # N, paths of a group that answer
    questions: int
    correct: Estimate  # Pass@1
    cons: Estimate  # of N
    covered: Estimate  # whether one of N is right
    tokens: Estimate  # sampled per path
    total: Estimate  # sampled per question, by all paths of a group
    flops: float  # per question; NaN where it is not known
    critical_path: float  # of a group
    reflections: Estimate  # per path
    endings: dict[str, Estimate]  # `metrics.endings`
    relative: Estimate | None = None  # tokens per path over those of an independent path
    more_reflections: Against | None = None  # per path, minus independent; None without a pool
    matched: tuple[Matched, ...] = ()  # one a budget; none without a pool
    why: str = ""  # there is no pool

    @property
    def independent(self) -> bool:
        """Whether this is a pool."""
        return self.method == INDEPENDENT


def efficiency(folders: Sequence[str | Path], budgets: Sequence[Budget] = tuple(Budget)) -> list[Spent]:
    """Every pool of independent paths that a run is compared with, then every other run in the order of the folders.

    Each of these is matched by these `budgets`. `UserError` when there is no other run.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    others = [run for run in runs if not run.independent]
    if not others:
        raise UserError("efficiency: independent runs only; allowed are runs of other methods along with them")
    found = pools(runs)
    names = names_of([run.settings for run in others], [run.folder.name for run in others])
    spent = [
        _spent(Groups.of(run), name, pool_of(run, found), budgets) for run, name in zip(others, names, strict=True)
    ]
    used = [pool for pool in found if any(pool_of(run, found) is pool for run in others)]
    alone = [_of_pool(pool, f"{INDEPENDENT} {index + 1}" if index else INDEPENDENT) for index, pool in enumerate(used)]
    return [*alone, *spent]


def corrected(found: Sequence[Spent]) -> list[Spent]:
    """All comparisons with p corrected, each for the family that it is over all runs, at one budget."""
    more = family([each.more_reflections for each in found], "runs of this table")
    some = [each for each in found if each.matched]
    by_budget = [matched.corrected(column) for column in zip(*(each.matched for each in some), strict=True)]
    adjusted = dict(zip((id(each) for each in some), zip(*by_budget, strict=True), strict=True))
    return [
        replace(each, matched=adjusted.get(id(each), ()), more_reflections=r)
        for each, r in zip(found, more, strict=True)
    ]


def _spent(groups: Groups, name: str, pool: Pool | None, budgets: Sequence[Budget]) -> Spent:
    shared = groups.questions if pool is None else sorted(set(groups.questions) & set(pool.questions))
    asked = shared or groups.questions
    spent = Spent(
        run_ids=(groups.run.folder.name,),
        name=name,
        method=str(groups.run.settings["method.name"]),
        routed=groups.run.routed,
        size=groups.size,
        questions=len(asked),
        correct=estimate(groups.values("pass@1", asked), SHARE),
        cons=estimate(groups.values("cons", asked), SHARE),
        covered=estimate(groups.values("covered", asked), SHARE),
        tokens=estimate(groups.values("tokens_own", asked)),
        total=estimate(groups.costs(Budget.TOKENS, asked)),
        flops=groups.cost(Budget.FLOPS, asked),
        critical_path=groups.cost(Budget.CRITICAL_PATH, asked),
        reflections=estimate(groups.values("aha", asked)),
        endings=endings(groups.run.table, asked),
    )
    if pool is None or not shared:
        return replace(spent, why="no independent run with its model, questions, sampling and budget")
    own = [float(each.mean()) for each in groups.values("tokens_own", shared)]
    return replace(
        spent,
        relative=ratio(own, [float(each[0]) for each in pool.means("tokens", shared)]),
        more_reflections=Against.of(groups.values("aha", shared), pool.means("aha", shared)),
        matched=tuple(matched.matched(groups, pool, shared, budget) for budget in budgets),
    )


def _of_pool(pool: Pool, name: str) -> Spent:
    questions = pool.questions
    size = pool.size(questions)
    tokens = pool.means("tokens", questions)
    prices = {budget: float(pool.prices(budget, questions)[-1]) for budget in Budget}
    return Spent(
        run_ids=pool.runs,
        name=name,
        method=INDEPENDENT,
        routed=False,
        size=size,
        questions=len(questions),
        correct=estimate(pool.means("correct", questions), SHARE),
        cons=estimate(pool.cons(size, questions), SHARE),
        covered=estimate(pool.coverage(size, questions), SHARE),
        tokens=estimate(tokens),
        total=estimate([size * each for each in tokens]),
        flops=prices[Budget.FLOPS],
        critical_path=prices[Budget.CRITICAL_PATH],
        reflections=estimate(pool.means("aha", questions)),
        endings=pool.endings(questions),
    )


def cells(found: Sequence[Spent]) -> Cells:
    """The runs as a table: shares in percent, tokens and reflections as means."""
    head = ["run", "N", "questions", "Pass@1 %", "Cons@N %", "tokens/path", "relative", "tokens/question"]
    table = [[*head, "FLOPs/question", "critical path", "reflections", "more"], *map(_line, found)]
    return with_endings(table, [each.endings for each in found])


def _line(each: Spent) -> list[str]:
    more = each.more_reflections
    return [
        *(each.name, str(each.size), str(each.questions), percent(each.correct), percent(each.cons)),
        f"{each.tokens.value:.0f}",
        "" if each.independent else _plain(each.relative),
        *(f"{each.total.value:.0f}", short(each.flops), f"{each.critical_path:.0f}", _plain(each.reflections)),
        "" if each.independent else _plain(None if more is None else more.difference, "+.2f"),
    ]


def _matched(found: Sequence[Spent]) -> Further:
    """Every run at every budget."""
    lines = [matched.line(each.name, each.cons, each.covered, one) for each in found for one in each.matched]
    missing = [f"{each.name}: {one.why}." for each in found for one in each.matched if one.why]
    missing += [f"{each.name}: {each.why}." for each in found if each.why]
    return Further(matched.TITLE, matched.table(lines), " ".join([matched.NOTE, *missing]))


def _plain(value: Estimate | None, form: str = ".2f") -> str:
    """A number that is no share, with its interval."""
    if value is None:
        return "n/a"
    told = "n/a" if value.low is None or value.high is None else f"{value.low:{form}}, {value.high:{form}}"
    return f"{value.value:{form}} [{told}]"


def exhibit(folders: Sequence[str | Path], budget: str | None = None) -> Exhibit:
    """Accuracy, cost and reflections of every run beside independent sampling, matched by one budget or by all.

    What is claimed is at that budget, or else at that of tokens, as in the paper. Errors as in `efficiency`.
    """
    one = Budget.named(budget)
    found = corrected(efficiency(folders, (one,) if one else tuple(Budget)))
    peers, table = [each for each in found if each.routed], cells(found)
    return Exhibit(
        name="efficiency",
        title="What peers cost, and what the same budget buys without them",
        source="Figures 5, 18 and 19",
        table=table,
        notes=[*NOTES, *endings_told(table)],
        figures=Drawings({"efficiency": partial(figure, found)}),
        claims=[*map(_matched_claim, peers), *map(_fewer_reflections, peers)],
        runs=list(dict.fromkeys(run for each in found for run in each.run_ids)),
        further=[_matched(found)],
    )


def _matched_claim(each: Spent) -> Claim:
    first = each.matched[0] if each.matched else Matched(Budget.TOKENS, each.total.value, why=each.why)
    return matched.claim(each.name, first, "Figure 5")


def figure(found: Sequence[Spent]) -> "Figure":
    """Pass@1, tokens per path, reflections per path and the difference at equal cost, a place on the x axis a run."""
    places = range(len(found))
    first = [(place, each.matched[0]) for place, each in zip(places, found, strict=True) if each.matched]
    differences = [(place, one.vote.difference) for place, one in first if one.vote is not None]
    panels = [
        Panel("Pass@1 (%)", [Series("", [(p, e.correct) for p, e in zip(places, found, strict=True)])]),
        Panel("tokens per path", [Series("", [(p, e.tokens) for p, e in zip(places, found, strict=True)])], scale=1),
        Panel(
            "reflections per path",
            [Series("", [(p, e.reflections) for p, e in zip(places, found, strict=True)])],
            scale=1,
        ),
    ]
    if differences:
        words = first[0][1].words
        panels.append(Panel(f"Cons at equal\n{words} (points)", [Series("", differences)], zero=True))
    drawn = curves(
        panels, questions(each.questions for each in found), places, [each.name for each in found], join=False
    )
    for label in drawn.axes[-1].get_xticklabels():
        label.set(rotation=30, ha="right")
    return drawn


def _fewer_reflections(each: Spent) -> Claim:
    """By the sign test: counts have no bound, and so nothing holds for their mean whatever rare questions do."""
    text = f"On more questions paths with peers have fewer aha moments than have more ({each.name})."
    source, more = "Figures 18 and 19", each.more_reflections
    if more is None:
        return Claim(text, source, "undecided", f"There is no difference: {each.why}.")
    told = f"The difference is {_plain(more.difference, '+.2f')} per path over {more.difference.n} questions: "
    told += f"{more.down} have fewer, {more.same} as many, {more.up} more, {p_value(more.signs_p)} by the sign test."
    if more.signs_p >= ALPHA:
        return Claim(text, source, "undecided", f"{told} The data cannot tell.")
    return Claim(text, source, "holds" if more.down > more.up else "does not hold", told)
