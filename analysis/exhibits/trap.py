"""The Prefix Dominance Trap (Section 2): what a bad or good beginning does to Pass@1 on the same questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.errors import UserError

from ..drawing.curves import Marks, Panel, Series, curves
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import COUNTS, counted, percent
from ..drawing.tables import ASSUMED, Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.compare import Run, against
from ..measures.contrasts import Against, corrected
from ..measures.metrics import by_question, endings
from ..measures.shared import INDEPENDENT, shared_settings, shares_of
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, estimate
from . import trap_check
from .base import Asked, Claim, Exhibit, decided, directional
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {
    "trap": "What a wrong beginning does to Pass@1",
    "trap_length": "What a wrong beginning does, by its length",
    "good_beginnings": "What a right beginning does to Pass@1",
}
PAPERS_LENGTH = 0.15  # of a response
NOTES = (
    "gap: paired difference of Pass@1 in points over the questions that have right and wrong responses, p by "
    "permutation of its signs, corrected for all gaps of this table (Holm).",
    COUNTS,
    ASSUMED,
    "The words of the beginning are given: no run pays for them, and all are continued with the same budget.",
)


@dataclass(frozen=True)
class Gap:
    """A run whose paths had a beginning, beside the run that is the same without one, over their common questions."""

    run_id: str
    name: str
    method: str
    prefix: str  # bad, good, mixed or random
    fraction: float  # of a response's tokens
    questions: int
    begun: Estimate
    free: Estimate
    gap: Against  # begun minus free
    by_question: dict[str, float]  # the gap of each question
    begun_by_question: dict[str, float]  # Pass@1 with the beginning
    endings: tuple[dict[str, Estimate], dict[str, Estimate]]  # `metrics.endings`: begun, free
    settings: Mapping[str, Any]  # of the run with the beginning
    runs: tuple[str, str]  # ids: begun, free


def trap(folders: Sequence[str | Path]) -> list[Gap]:
    """A gap for every run with beginnings, in the order of the folders.

    `UserError` when there is none, or when one has no run without beginnings among the folders.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    begun = [run for run in runs if run.settings.get("prefix.name", "none") != "none"]
    if not begun:
        raise UserError(
            "trap: none of these runs has beginnings; allowed are runs with prefix=bad, good, mixed or random"
        )
    names = names_of([run.settings for run in begun], [run.folder.name for run in begun])
    gaps = [_gap(run, name, runs) for run, name in zip(begun, names, strict=True)]
    adjusted = corrected([gap.gap for gap in gaps], "gaps of this table")
    return [replace(gap, gap=each) for gap, each in zip(gaps, adjusted, strict=True) if each is not None]


def cells(gaps: Sequence[Gap]) -> Cells:
    """The gaps as a table: shares in percent, differences in points, 95% intervals over questions."""
    head = ["run", "questions", "Pass@1 % with", "without", "gap"]
    table = [
        head,
        *([gap.name, str(gap.questions), percent(gap.begun), percent(gap.free), counted(gap.gap)] for gap in gaps),
    ]
    table = with_endings(table, [gap.endings[0] for gap in gaps], "with")
    return with_endings(table, [gap.endings[1] for gap in gaps], "without")


def exhibit(folders: Sequence[str | Path], name: str = "trap") -> Exhibit:
    """Pass@1 and the gap by the length of the beginning, and what the paper says of them; errors as in `trap`.

    `name` is of the experiment: `good_beginnings` takes the runs with prefix=good, `trap` and `trap_length` with bad.
    """
    good = name == "good_beginnings"
    gaps = _begun(trap(folders), good)
    if not gaps:
        raise UserError(
            f"{name}: none of these runs begins so; allowed are runs with prefix={'good' if good else 'bad'}"
        )
    table = cells(gaps)
    return Exhibit(
        name=name,
        title=TITLES.get(name, TITLES["trap"]),
        source="Figure 17" if good else "Figures 1 and 4",
        table=table,
        notes=[*NOTES, *endings_told(table)],
        figures=Drawings({name: partial(figure, gaps, good)}),
        claims=_claims([gap for gap in gaps if name != "trap_length" or gap.fraction != PAPERS_LENGTH], good),
        runs=list(dict.fromkeys(run for gap in gaps for run in gap.runs)),
        further=trap_check.further(folders) if name == "trap" else [],
    )


def _begun(gaps: Sequence[Gap], good: bool) -> list[Gap]:
    """The gaps of right, or else of wrong beginnings."""
    return [gap for gap in gaps if gap.prefix == ("good" if good else "bad")]


def figure(gaps: Sequence[Gap], good: bool = False) -> "Figure":
    """Above, Pass@1 by the share of a response that paths begin with; below, the gap to no beginning."""
    gaps = _begun(gaps, good)
    methods = list(dict.fromkeys(gap.method for gap in gaps))
    own = {method: sorted((gap for gap in gaps if gap.method == method), key=_length) for method in methods}
    free = [
        Series(method, [(0, own[method][0].free), *((_length(g), g.begun) for g in own[method])]) for method in methods
    ]
    gap = [Series(method, [(_length(g), g.gap.difference) for g in own[method]]) for method in methods]
    marks = [] if good else _published()
    n = questions(g.questions for g in gaps)
    panels = [Panel("Pass@1 (%)", free), Panel("change in Pass@1 (points)", gap, marks=marks, zero=True)]
    return curves(panels, f"beginning, % of a {'right' if good else 'wrong'} response\n{n}")


def _claims(gaps: Sequence[Gap], good: bool) -> list[Claim]:
    """`trap` has those on the paper's own length, `trap_length` those on all others."""
    return [*_fall(gaps, good), *(_good_with_peers(gaps) if good else _repair(gaps))]


def _published() -> list[Marks]:
    """The paper's drops at 15%, for its three models."""
    told = published()["trap_gap_bad_prefix_15"]
    return [Marks(method, [(15, -drop) for drop in told[method].values()]) for method in ("independent", "leap")]


def _fall(gaps: Sequence[Gap], good: bool) -> list[Claim]:
    """What the beginning does to independent paths."""
    text = "A right beginning raises" if good else "A wrong beginning lowers"
    return [
        directional(
            f"{text} the Pass@1 of independent paths ({_length(gap):g}% of a response).",
            "Figure 17" if good else "Figures 1 and 4",
            gap.gap,
            up=good,
            what="change",
        )
        for gap in gaps
        if gap.method == INDEPENDENT
    ]


def _good_with_peers(gaps: Sequence[Gap]) -> list[Claim]:
    """Whether paths that begin well gain from peers, too: question by question."""
    told = published()["good_prefix_15"]["R1-14B"]
    asked = []
    for gap, alone, shared in _beside(gaps):
        left, right = ([[each.begun_by_question[question]] for question in shared] for each in (gap, alone))
        text = (
            f"Peers raise the Pass@1 of paths that begin well ({gap.method}; paper, R1-14B: {told['independent']:g} to "
        )
        text += f"{told['leap']:g})."
        asked.append(Asked(text, "Figure 17", Against.of(left, right, DIFFERENCE), up=True))
    return decided(asked, "comparisons with and without peers")


def _beside(gaps: Sequence[Gap]) -> list[tuple[Gap, Gap, list[str]]]:
    """Every run with peers, the independent one with the same beginnings, and their common questions."""
    pairs = [
        (gap, alone)
        for gap in gaps
        for alone in gaps
        if gap.method != INDEPENDENT and alone.method == INDEPENDENT and _ask_alike(gap, alone)
    ]
    return [(gap, alone, sorted(set(gap.by_question) & set(alone.by_question))) for gap, alone in pairs]


def _ask_alike(gap: Gap, alone: Gap) -> bool:
    """Whether independent paths have the beginnings, and all else that a baseline shares, of a run with peers."""
    shares = shares_of(gap.settings)
    return shared_settings(gap.settings, ("peers",), shares) == shared_settings(alone.settings, ("peers",), shares)


def _repair(gaps: Sequence[Gap]) -> list[Claim]:
    """Whether peers make the gap smaller: the difference of two gaps, question by question."""
    asked = []
    for gap, alone, shared in _beside(gaps):
        left, right = ([[each.by_question[question]] for question in shared] for each in (gap, alone))
        text = f"With peers ({gap.method}) the trap is smaller ({_length(gap):g}% of a response)."
        smaller = Against.of(left, right, (-2.0, 2.0))
        asked.append(Asked(text, "Figure 4", smaller, up=True, what="gap with peers minus gap alone"))
    return decided(asked, "comparisons of gaps")


def _length(gap: Gap) -> float:
    return round(100 * gap.fraction, 2)


def _gap(run: Run, name: str, runs: Sequence[Run]) -> Gap:
    same = run.setting("prefix")
    free = [other for other in runs if other.settings.get("prefix.name") == "none" and other.setting("prefix") == same]
    shared = sorted(set(run.table["question_id"]) & {q for other in free for q in other.table["question_id"]})
    if not shared:
        raise UserError(
            f"{run.folder}: no run without beginnings but with its other settings and questions among these"
        )
    values = [by_question(each.table, "pass@1", shared) for each in (run, free[0])]
    begun, other = (estimate(each, SHARE) for each in values)
    return Gap(
        run_id=run.folder.name,
        name=name,
        method=str(run.settings["method.name"]),
        prefix=str(run.settings["prefix.name"]),
        fraction=float(run.settings["prefix.fraction"]),
        questions=len(shared),
        begun=begun,
        free=other,
        gap=against(run, free[0], shared),
        by_question={q: float(one.mean() - two.mean()) for q, one, two in zip(shared, *values, strict=True)},
        begun_by_question={q: float(one.mean()) for q, one in zip(shared, values[0], strict=True)},
        endings=(endings(run.table, shared), endings(free[0].table, shared)),
        settings=run.settings,
        runs=(run.folder.name, free[0].folder.name),
    )
