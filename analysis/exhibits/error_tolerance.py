"""Error tolerance (Section 5.2.1, Figure 11): LeaP groups of which a share begins well and the rest badly."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leap_lab.errors import UserError

from ..drawing.curves import Marks, Panel, Series, curves
from ..drawing.tables import Cells, percent, points
from ..labels import names_of
from ..measures.compare import Against, Run, against
from ..measures.metrics import by_question
from ..measures.shared import shared_settings, shares_of
from ..stats.intervals import ENOUGH, RESAMPLES, SHARE, Estimate, Floats, differing, estimate, levels
from .base import Claim, Exhibit, directional
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEGINNINGS = ("prefix.name", "prefix.good_ratio", "prefix.per_path")  # what differs here between runs that are alike
HALF = 0.5
PAPERS = published()["error_tolerance"]["R1-14B"]["leap_surpasses_all_good_at"] / 100  # the share from which it holds
NOTES = (
    "good: paths of a group that begin from a right response, as they came out of the ratio asked for.",
    "all bad, all good: independent paths whose beginnings are all from wrong, or all from right, responses; paired "
    "differences of Pass@1 in points, p by permutation of its signs over questions.",
)


@dataclass(frozen=True)
class Level:
    """LeaP with one share of good beginnings."""

    share: float  # of the paths of a group, from 0 to 1
    run_id: str
    correct: Estimate  # Pass@1
    over_bad: Against | None  # minus independent paths that all begin badly
    over_good: Against | None  # minus independent paths that all begin well


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
    runs: list[str]


def tolerance(folders: Sequence[str | Path]) -> list[Tolerance]:
    """One curve for each setting of LeaP, in the order of the folders.

    `UserError` without a run of LeaP with prefix=mixed, and where runs of one curve have no question in common.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    mixed = [run for run in runs if not run.independent and run.settings.get("prefix.name") == "mixed"]
    if not mixed:
        raise UserError("error_tolerance: no run of LeaP with mixed beginnings; allowed are runs with prefix=mixed")
    families: dict[str, list[Run]] = {}
    for run in mixed:
        alike = {**run.setting("prefix"), "fraction": run.settings.get("prefix.fraction")}
        families.setdefault(repr(sorted(alike.items())), []).append(run)
    names = names_of([own[0].settings for own in families.values()], [own[0].folder.name for own in families.values()])
    return [_tolerance(name, own, runs) for name, own in zip(names, families.values(), strict=True)]


def good_share(run: Run) -> float | None:
    """The share of paths that begin well, which the size of a group rounds; None without beginnings."""
    name, peers = run.settings.get("prefix.name"), int(run.settings["peers"])
    if name == "mixed":
        return round(float(run.settings["prefix.good_ratio"]) * peers) / peers
    return {"bad": 0.0, "good": 1.0}.get(str(name))


def _tolerance(name: str, own: Sequence[Run], runs: Sequence[Run]) -> Tolerance:
    own = sorted(own, key=lambda run: good_share(run) or 0.0)
    bad, good = (_baseline(own[0], runs, share) for share in (0.0, 1.0))
    used = [run for run in (*own, bad, good) if run is not None]
    common = sorted(set.intersection(*(set(run.table["question_id"]) for run in used)))
    if not common:
        raise UserError(f"{own[0].folder}: no question in common with {', '.join(str(run.folder) for run in used[1:])}")
    return Tolerance(
        name=name,
        questions=len(common),
        levels=[_level(run, bad, good, common) for run in own],
        bad=None if bad is None else _correct(bad, common),
        good=None if good is None else _correct(good, common),
        passes_bad=None if bad is None else _passes(own, bad, common),
        passes_good=None if good is None else _passes(own, good, common),
        runs=[run.folder.name for run in used],
    )


def _baseline(run: Run, runs: Sequence[Run], share: float) -> Run | None:
    """Independent paths that all begin badly (share 0) or well (1), with the other settings of this run.

    Those with beginnings drawn as for the run come first, then as many paths.
    """
    found = [other for other in runs if other.independent and good_share(other) == share]
    found.sort(key=lambda other: other.settings.get("prefix.name") != "mixed")
    shares = shares_of(run.settings)
    for but in (BEGINNINGS, (*BEGINNINGS, "peers")):
        wanted = shared_settings(run.settings, but, shares)
        for other in found:
            if shared_settings(other.settings, but, shares) == wanted:
                return other
    return None


def _level(run: Run, bad: Run | None, good: Run | None, common: Sequence[str]) -> Level:
    return Level(
        share=good_share(run) or 0.0,
        run_id=run.folder.name,
        correct=_correct(run, common),
        over_bad=None if bad is None else against(run, bad, common),
        over_good=None if good is None else against(run, good, common),
    )


def _correct(run: Run, common: Sequence[str]) -> Estimate:
    return estimate(by_question(run.table, "pass@1", common), SHARE)


def _passes(own: Sequence[Run], baseline: Run, common: Sequence[str]) -> Estimate:
    base = _means(baseline, common)
    gains = np.stack([_means(run, common) - base for run in own], axis=1)
    return crossing([good_share(run) or 0.0 for run in own], gains)


def _means(run: Run, common: Sequence[str]) -> Floats:
    return np.array([values.mean() for values in by_question(run.table, "pass@1", common)])


def crossing(shares: Sequence[float], gains_QS: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The share from which on a curve is no longer below its baseline, by straight lines between the shares measured.

    `gains_QS`: curve minus baseline, a row a question, a column a share (ascending). -inf: the curve is nowhere below;
    inf: it still is at the largest share. The interval resamples questions, all points of the curve together; there is
    none where a bound would lie outside the shares.
    """
    count = len(gains_QS)
    value = float(_crossings(shares, gains_QS.mean(axis=0, keepdims=True))[0])
    patterns = np.unique(gains_QS.round(12), axis=0, return_inverse=True)[1].ravel()
    if count < ENOUGH or differing(patterns.astype(float)) < ENOUGH:
        return Estimate(value, None, None, count, f"fewer than {ENOUGH} questions differ: too few to resample")
    drawn_RQ = np.random.default_rng(seed).multinomial(count, [1 / count] * count, resamples)
    found = _crossings(shares, drawn_RQ @ gains_QS / count)
    low, high = np.quantile(found, levels(count), method="inverted_cdf")
    if np.isinf(low) or np.isinf(high):
        below, above = np.mean(found == -np.inf), np.mean(found == np.inf)
        why = f"the crossing is outside the shares measured in {below:.0%} (below) and {above:.0%} (above) of resamples"
        return Estimate(value, None, None, count, why)
    return Estimate(value, float(low), float(high), count)


def _crossings(shares: Sequence[float], gains_RS: Floats) -> Floats:
    below = gains_RS < -1e-12
    found = np.where(below[:, -1], np.inf, -np.inf)
    rows = np.flatnonzero(below.any(axis=1) & ~below[:, -1])
    last = below.shape[1] - 1 - np.argmax(below[rows, ::-1], axis=1)  # the last share at which the curve is below
    left, right = gains_RS[rows, last], gains_RS[rows, last + 1]
    places = np.asarray(shares, float)
    found[rows] = places[last] + (places[last + 1] - places[last]) * -left / (right - left)
    return np.asarray(found)


def cells(found: Sequence[Tolerance]) -> Cells:
    """The curves as a table: shares in percent, differences in points, 95% intervals over questions."""
    table = [["run", "good %", "questions", "Pass@1 %", "vs all bad", "vs all good"]]
    for each in found:
        for level in each.levels:
            start = [each.name, f"{100 * level.share:g}", str(each.questions), percent(level.correct)]
            table.append([*start, points(level.over_bad), points(level.over_good)])
        name = f"independent ({each.name})" if len(found) > 1 else "independent"
        for share, correct in (("0", each.bad), ("100", each.good)):
            if correct is not None:
                table.append([name, share, str(each.questions), percent(correct), "", ""])
    return table


def notes(found: Sequence[Tolerance]) -> list[str]:
    """Where the curves pass the baselines."""
    told = list(NOTES)
    for each in found:
        least, most = (100 * each.levels[index].share for index in (0, -1))
        for words, passes in (("all bad", each.passes_bad), ("all good", each.passes_good)):
            told.append(f"{each.name}: {_passing(words, passes, least, most)}")
    return told


def _passing(words: str, passes: Estimate | None, least: float, most: float) -> str:
    if passes is None:
        return f"no independent run whose beginnings are {words} among these, with its other settings."
    if passes.value == np.inf:
        return f"below independent paths ({words}) up to the largest share of good beginnings, {most:g}%."
    if passes.value == -np.inf:
        return f"at no share below independent paths ({words}), of which the least is {least:g}%."
    told = f"no longer below independent paths ({words}) from {100 * passes.value:.1f}% of good beginnings on"
    if passes.low is None or passes.high is None:
        return f"{told} (no interval: {passes.why})."
    return f"{told}, [{100 * passes.low:.1f}, {100 * passes.high:.1f}]."


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Pass@1 by the share of good beginnings, and what the paper says of it; errors as in `tolerance`."""
    found = tolerance(folders)
    return Exhibit(
        name="error_tolerance",
        title="How many bad beginnings a group can bear",
        source="Figure 11",
        table=cells(found),
        notes=notes(found),
        figures={"error_tolerance": figure(found)},
        claims=[claim for each in found for claim in (_beats_bad(each), _passes_good(each))],
        runs=list(dict.fromkeys(run for each in found for run in each.runs)),
    )


def figure(found: Sequence[Tolerance]) -> "Figure":
    """Pass@1 over the share of good beginnings; bands are independent paths, marks the paper's R1-14B."""
    series = [Series(each.name, [(100 * level.share, level.correct) for level in each.levels]) for each in found]
    bands: dict[str, Estimate] = {}
    for each in found:
        for words, correct in (("all bad", each.bad), ("all good", each.good)):
            if correct is not None and correct not in bands.values():
                name = f"independent, {words}"
                bands[f"{name} ({each.name})" if name in bands else name] = correct
    told = published()["error_tolerance"]["R1-14B"]
    marks = [Marks("R1-14B", [(0, told["leap_0"])])]
    ticks = sorted({100 * level.share for each in found for level in each.levels})
    n = sorted({each.questions for each in found})
    questions = str(n[0]) if len(n) == 1 else f"{n[0]}–{n[-1]}"
    x = f"good beginnings, % of paths (n = {questions} questions)"
    return curves([Panel("Pass@1 (%)", series, bands, marks)], x, ticks)


def _beats_bad(each: Tolerance) -> Claim:
    text = f"LeaP with only bad beginnings beats independent paths with only bad beginnings ({each.name})."
    level = each.levels[0]
    if level.share > 0 or level.over_bad is None:
        missing = "run of LeaP without a good beginning" if level.share > 0 else "independent run with bad beginnings"
        return Claim(text, "Figure 11", "undecided", f"There is no {missing}.")
    return directional(text, "Figure 11", level.over_bad.difference, up=True)


def _passes_good(each: Tolerance) -> Claim:
    text = f"LeaP with no more than half of the beginnings good beats independent paths with all of them ({each.name})."
    upper = [level for level in each.levels if PAPERS <= level.share <= HALF]
    if not upper or upper[-1].over_good is None:
        missing = "independent run with good beginnings" if upper else f"run of LeaP with {100 * PAPERS:g} to 50% good"
        return Claim(text, "Figure 11", "undecided", f"There is no {missing}.")
    what = f"difference at {100 * upper[-1].share:g}% good"
    return directional(text, "Figure 11", upper[-1].over_good.difference, up=True, what=what)
