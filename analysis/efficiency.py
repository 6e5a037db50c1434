"""What peers cost (Figures 5, 18 and 19): tokens, reflections, and independent sampling with the same tokens.

All tokens that a group samples are counted: thinking, summaries, what was cut, helpers and earlier layers; probes are
not, they only look. At a *matched budget* a run's vote is compared with that of as many independent paths, on average,
as its mean tokens per question pay for. The number of paths is one for all questions and taken as given: intervals are
of the difference of the votes, resampling questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.compare import INDEPENDENT, Against, Run, names_of
from analysis.curves import Panel, Series, curves
from analysis.exhibit import Claim, Exhibit, directional
from analysis.load import load
from analysis.metrics import SAMPLED, by_question
from analysis.pool import Pool, pool_of, pools
from analysis.stats import DIFFERENCE, SHARE, Estimate, Floats, detectable, estimate, holm, paired, permutation_p, ratio
from analysis.tables import Cells, percent, points
from leap_lab.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MATCHED = "At a matched token budget LeaP's vote beats independent sampling's"
NOTES = (
    "N: paths that answer. tokens/question: all that a group samples, probes left out. relative: tokens per path over "
    "those of an independent path.",
    "independent: all independent paths of the setting together; at equal tokens: Cons@N minus the Cons of as many "
    "independent paths as the same tokens pay for, in points, p corrected for all of this table (Holm).",
    "reflections: keywords of turning back (\N{LEFT DOUBLE QUOTATION MARK}aha\N{RIGHT DOUBLE QUOTATION MARK}) in a "
    "path's own thinking; more: paired difference to independent paths.",
)


@dataclass(frozen=True)
class Spent:
    """What a run, or a pool of independent paths, gets for its tokens; over the questions common to run and pool."""

    run_ids: tuple[str, ...]
    name: str
    method: str
    size: int  # N, paths of a group that answer
    questions: int
    correct: Estimate  # Pass@1
    cons: Estimate  # of N
    tokens: Estimate  # sampled per path
    total: Estimate  # sampled per question, by all paths of a group
    reflections: Estimate  # per path
    relative: Estimate | None = None  # tokens per path over those of an independent path
    more_reflections: Against | None = None  # per path, minus independent; None without a pool
    paths: float | None = None  # independent paths that the same tokens pay for
    matched: Against | None = None  # Cons minus that of so many independent paths
    why: str = ""  # there is no `matched`

    @property
    def independent(self) -> bool:
        """Whether this is a pool."""
        return self.method == INDEPENDENT


@dataclass(frozen=True)
class Groups:
    """One run's groups with what this analysis needs beyond `metrics`: arrays of groups per question."""

    run: Run
    size: int
    questions: list[str]

    @classmethod
    def of(cls, run: Run) -> "Groups":
        """The groups of a run, each with its vote and all tokens it sampled."""
        paths = load([run.folder], ("question_id", "group", "path", *SAMPLED))
        grouped = paths.assign(total=paths[[*SAMPLED]].sum(axis=1)).groupby(["question_id", "group"])
        totals, sizes = grouped["total"].sum(), grouped.size()
        votes = run.table.filter(regex="^cons@").bfill(axis=1).iloc[:, 0]
        keys = list(zip(run.table["question_id"], run.table["group"], strict=True))
        table = run.table.assign(cons=votes, total=[float(totals[key]) for key in keys])
        questions = sorted(table["question_id"].unique())
        return cls(replace(run, table=table), int(sizes.max()), questions)

    def values(self, name: str, questions: Sequence[str]) -> list[Floats]:
        """`cons`, `total` or a metric of `per_group`, in the order of the questions."""
        return by_question(self.run.table, name, questions)

    def total(self, questions: Sequence[str]) -> float:
        """Sampled tokens per question, the mean over questions."""
        return float(np.mean([groups.mean() for groups in self.values("total", questions)]))


def efficiency(folders: Sequence[str | Path]) -> list[Spent]:
    """Every pool of independent paths that a run is compared with, then every other run in the order of the folders.

    `UserError` when there is no other run.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    others = [run for run in runs if not run.independent]
    if not others:
        raise UserError("efficiency: independent runs only; allowed are runs of other methods along with them")
    found = pools(runs)
    names = names_of([run.settings for run in others], [run.folder.name for run in others])
    spent = [_spent(Groups.of(run), name, pool_of(run, found)) for run, name in zip(others, names, strict=True)]
    used = [pool for pool in found if any(pool_of(run, found) is pool for run in others)]
    alone = [_of_pool(pool, f"{INDEPENDENT} {index + 1}" if index else INDEPENDENT) for index, pool in enumerate(used)]
    return [*alone, *spent]


def corrected(found: Sequence[Spent]) -> list[Spent]:
    """Both comparisons with p corrected, each for the family that it is over all runs."""
    matched = _corrected([each.matched for each in found])
    more = _corrected([each.more_reflections for each in found])
    return [replace(each, matched=m, more_reflections=r) for each, m, r in zip(found, matched, more, strict=True)]


def _corrected(family: Sequence[Against | None]) -> list[Against | None]:
    adjusted = holm([each.p if each else None for each in family])
    return [each and replace(each, p=p, family=True) for each, p in zip(family, adjusted, strict=True)]


def _spent(groups: Groups, name: str, pool: Pool | None) -> Spent:
    shared = groups.questions if pool is None else sorted(set(groups.questions) & set(pool.questions))
    asked = shared or groups.questions
    spent = Spent(
        run_ids=(groups.run.folder.name,),
        name=name,
        method=str(groups.run.settings["method.name"]),
        size=groups.size,
        questions=len(asked),
        correct=estimate(groups.values("pass@1", asked), SHARE),
        cons=estimate(groups.values("cons", asked), SHARE),
        tokens=estimate(groups.values("tokens_own", asked)),
        total=estimate(groups.values("total", asked)),
        reflections=estimate(groups.values("aha", asked)),
    )
    if pool is None or not shared:
        return replace(spent, why="no independent run with its model, questions, sampling and budget")
    own = [float(each.mean()) for each in groups.values("tokens_own", shared)]
    paths, matched, why = at_equal_tokens(groups, pool, shared)
    return replace(
        spent,
        relative=ratio(own, [float(each[0]) for each in pool.means("own", shared)]),
        more_reflections=contrast(groups.values("aha", shared), pool.means("aha", shared)),
        paths=paths,
        matched=matched,
        why=why,
    )


def at_equal_tokens(groups: Groups, pool: Pool, questions: Sequence[str]) -> tuple[float, Against | None, str]:
    """The independent paths that a run's tokens pay for, its Cons minus theirs, or why there is no such difference."""
    tokens, one = groups.total(questions), pool.tokens(questions)
    paths, most = round(tokens / one, 9), pool.size(questions)
    if paths < 1:
        return paths, None, f"{tokens:.0f} tokens per question are less than one independent path samples ({one:.0f})"
    if paths > most:
        return paths, None, f"its tokens pay for {paths:.1f} independent paths, and there are {most} of each question"
    votes = groups.values("cons", questions)
    return paths, contrast(votes, pool.cons(paths, questions), DIFFERENCE), ""


def contrast(left: Sequence[Floats], right: Sequence[Floats], support: tuple[float, float] | None = None) -> Against:
    """Left minus right over the same questions."""
    means = [[float(groups.mean()) for groups in arm] for arm in (left, right)]
    p = permutation_p(means[0], means[1])
    return Against(paired(left, right, support), p, detectable=detectable(left, right))


def _of_pool(pool: Pool, name: str) -> Spent:
    questions = pool.questions
    size = pool.size(questions)
    tokens = pool.means("own", questions)
    return Spent(
        run_ids=pool.runs,
        name=name,
        method=INDEPENDENT,
        size=size,
        questions=len(questions),
        correct=estimate(pool.means("correct", questions), SHARE),
        cons=estimate(pool.cons(size, questions), SHARE),
        tokens=estimate(tokens),
        total=estimate([size * each for each in tokens]),
        reflections=estimate(pool.means("aha", questions)),
    )


def cells(found: Sequence[Spent]) -> Cells:
    """The runs as a table: shares in percent, differences in points, tokens and reflections as means."""
    head = ["run", "N", "questions", "Pass@1 %", "Cons@N %", "tokens/path", "relative", "tokens/question"]
    return [[*head, "independent paths for these", "at equal tokens", "reflections", "more"], *map(_line, found)]


def _line(each: Spent) -> list[str]:
    start = [each.name, str(each.size), str(each.questions), percent(each.correct), percent(each.cons)]
    if each.independent:
        return [*start, f"{each.tokens.value:.0f}", "", f"{each.total.value:.0f}", "", "", _plain(each.reflections), ""]
    return [
        *start,
        f"{each.tokens.value:.0f}",
        _plain(each.relative),
        f"{each.total.value:.0f}",
        "n/a" if each.paths is None else f"{each.paths:.1f}",
        points(each.matched),
        _plain(each.reflections),
        _plain(None if each.more_reflections is None else each.more_reflections.difference, "+.2f"),
    ]


def _plain(value: Estimate | None, form: str = ".2f") -> str:
    """A number that is no share, with its interval."""
    if value is None:
        return "n/a"
    told = "n/a" if value.low is None or value.high is None else f"{value.low:{form}}, {value.high:{form}}"
    return f"{value.value:{form}} [{told}]"


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Accuracy, tokens and reflections of every run beside independent sampling; errors as in `efficiency`."""
    found = corrected(efficiency(folders))
    peers = [each for each in found if each.method.startswith("leap")]
    return Exhibit(
        name="efficiency",
        title="What peers cost, and what the same tokens buy without them",
        source="Figures 5, 18 and 19",
        table=cells(found),
        notes=[*NOTES, *(f"{each.name}, at equal tokens: n/a, {each.why}." for each in found if each.why)],
        figures={"efficiency": figure(found)},
        claims=[
            *(matched_claim(each.name, each.matched, each.why, "Figure 5") for each in peers),
            *(_fewer_reflections(each) for each in peers),
        ],
        runs=list(dict.fromkeys(run for each in found for run in each.run_ids)),
    )


def figure(found: Sequence[Spent]) -> "Figure":
    """Pass@1, tokens per path, reflections per path and the difference at equal tokens, a place on the x axis a run."""
    places = range(len(found))
    differences = [(p, e.matched.difference) for p, e in zip(places, found, strict=True) if e.matched is not None]
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
        panels.append(Panel("Cons at equal\ntokens (points)", [Series("", differences)], zero=True))
    n = sorted({each.questions for each in found})
    x = f"n = {n[0]} questions" if len(n) == 1 else f"n = {n[0]}–{n[-1]} questions"
    drawn = curves(panels, x, places, [each.name for each in found], join=False)
    for label in drawn.axes[-1].get_xticklabels():
        label.set(rotation=30, ha="right")
    return drawn


def matched_claim(name: str, matched: Against | None, why: str, source: str) -> Claim:
    """What the data say of a run's vote against that of independent paths with as many tokens."""
    text = f"{MATCHED} ({name})."
    if matched is None:
        return Claim(text, source, "undecided", f"There is no difference at equal tokens: {why}.")
    return directional(text, source, matched.difference, up=True, p=matched.p)


def _fewer_reflections(each: Spent) -> Claim:
    text, source = f"Paths with peers have fewer aha moments ({each.name}).", "Figures 18 and 19"
    more = each.more_reflections
    if more is None:
        return Claim(text, source, "undecided", f"There is no difference: {each.why}.")
    p = "" if more.p is None else f", p={more.p:.3f}"
    told = f"The difference is {_plain(more.difference, '+.2f')} per path over {more.difference.n} questions{p}."
    if not more.verdict:
        why = f" There is no interval: {more.difference.why}." if more.difference.why else ""
        return Claim(text, source, "undecided", told + (why or " The data cannot tell its sign."))
    return Claim(text, source, "holds" if more.difference.value < 0 else "does not hold", told)
