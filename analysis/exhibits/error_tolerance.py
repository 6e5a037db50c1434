"""Error tolerance (Section 5.2.1, Figure 11): LeaP groups in which some paths begin well and the others badly."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from leap_lab.errors import UserError

from ..drawing.figures import Drawings
from ..drawing.numerals import COUNTS, counted, percent
from ..drawing.tables import ASSUMED, Cells, endings_told, with_endings
from ..labels import names_of
from ..measures.compare import Run, against
from ..measures.contrasts import corrected
from ..measures.metrics import by_question, endings
from ..measures.shared import shared_settings, shares_of
from ..stats.crossing import crossing
from ..stats.intervals import SHARE, Estimate, Floats, estimate
from .base import Claim, Exhibit, directional
from .published import published
from .tolerance_curves import Level, Tolerance, figure

BEGINNINGS = ("prefix.name", "prefix.good_ratio", "prefix.per_path")  # what differs here between runs that are alike
HALF = 0.5
FAMILY = "comparisons of this table"
PAPERS = published()["error_tolerance"]["R1-14B"]["leap_surpasses_all_good_at"] / 100  # the share from which it holds
NOTES = (
    "good: the share of paths in a group that begin from a right response; a group's size rounds the ratio asked for.",
    "all bad, all good: independent paths that all begin from wrong, or all from right, responses; paired differences "
    "of Pass@1 in points, p by permutation of its signs over questions, corrected for all comparisons of this table "
    "(Holm).",
    COUNTS,
    ASSUMED,
)


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
    firsts = [family[0] for family in families.values()]
    names = names_of([run.settings for run in firsts], [run.folder.name for run in firsts])
    found = [_tolerance(name, family, runs) for name, family in zip(names, families.values(), strict=True)]
    return _corrected(found)


def good_share(run: Run) -> float | None:
    """The share of paths that begin well, which the size of a group rounds; None without beginnings."""
    name, peers = run.settings.get("prefix.name"), int(run.settings["peers"])
    if name == "mixed":
        return round(float(run.settings["prefix.good_ratio"]) * peers) / peers
    return {"bad": 0.0, "good": 1.0}.get(str(name))


def _tolerance(name: str, family: Sequence[Run], runs: Sequence[Run]) -> Tolerance:
    family = sorted(family, key=lambda run: good_share(run) or 0.0)
    bad, good = (_baseline(family[0], runs, share) for share in (0.0, 1.0))
    used = [run for run in (*family, bad, good) if run is not None]
    common = sorted(set.intersection(*(set(run.table["question_id"]) for run in used)))
    if not common:
        others = ", ".join(str(run.folder) for run in used[1:])
        raise UserError(f"{family[0].folder}: no question in common with {others}")
    return Tolerance(
        name=name,
        questions=len(common),
        levels=[_level(run, bad, good, common) for run in family],
        bad=None if bad is None else _correct(bad, common),
        good=None if good is None else _correct(good, common),
        passes_bad=None if bad is None else _passes(family, bad, common),
        passes_good=None if good is None else _passes(family, good, common),
        endings=tuple({} if run is None else endings(run.table, common) for run in (bad, good)),
        runs=[run.folder.name for run in used],
    )


def _corrected(curves_found: Sequence[Tolerance]) -> list[Tolerance]:
    """The curves with p corrected for the family that all comparisons with independent paths are."""
    levels = [level for curve in curves_found for level in curve.levels]
    against = corrected([each for level in levels for each in (level.over_bad, level.over_good)], FAMILY)
    adjusted = iter(
        [
            replace(level, over_bad=bad, over_good=good)
            for level, bad, good in zip(levels, against[::2], against[1::2], strict=True)
        ]
    )
    return [replace(curve, levels=[next(adjusted) for _ in curve.levels]) for curve in curves_found]


def _baseline(run: Run, runs: Sequence[Run], share: float) -> Run | None:
    """Independent paths that all begin badly (share 0) or well (1), with the other settings of this run.

    Those with beginnings drawn as for the run come first, then those with as many paths.
    """
    candidates = [other for other in runs if other.independent and good_share(other) == share]
    candidates.sort(key=lambda other: other.settings.get("prefix.name") != "mixed")
    shares = shares_of(run.settings)
    for but in (BEGINNINGS, (*BEGINNINGS, "peers")):
        wanted = shared_settings(run.settings, but, shares)
        for other in candidates:
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
        endings=endings(run.table, common),
    )


def _correct(run: Run, common: Sequence[str]) -> Estimate:
    return estimate(by_question(run.table, "pass@1", common), SHARE)


def _passes(family: Sequence[Run], baseline: Run, common: Sequence[str]) -> Estimate:
    base = _means(baseline, common)
    gains = np.stack([_means(run, common) - base for run in family], axis=1)
    return crossing([good_share(run) or 0.0 for run in family], gains)


def _means(run: Run, common: Sequence[str]) -> Floats:
    return np.array([values.mean() for values in by_question(run.table, "pass@1", common)])


def cells(curves_found: Sequence[Tolerance]) -> Cells:
    """The curves as a table: shares in percent, differences in points, 95% intervals over questions."""
    table = [["run", "good %", "questions", "Pass@1 %", "vs all bad", "vs all good"]]
    ended: list[dict[str, Estimate]] = []
    for curve in curves_found:
        for level in curve.levels:
            start = [curve.name, f"{100 * level.share:g}", str(curve.questions), percent(level.correct)]
            table.append([*start, counted(level.over_bad), counted(level.over_good)])
            ended.append(level.endings)
        name = f"independent ({curve.name})" if len(curves_found) > 1 else "independent"
        for share, correct, own in (("0", curve.bad, curve.endings[0]), ("100", curve.good, curve.endings[1])):
            if correct is not None:
                table.append([name, share, str(curve.questions), percent(correct), "", ""])
                ended.append(own)
    return with_endings(table, ended)


def notes(curves_found: Sequence[Tolerance]) -> list[str]:
    """What the columns are, and where the curves pass the baselines."""
    lines = [*NOTES, *endings_told(cells(curves_found))]
    for curve in curves_found:
        least, most = (100 * curve.levels[index].share for index in (0, -1))
        for words, passes in (("all bad", curve.passes_bad), ("all good", curve.passes_good)):
            lines.append(f"{curve.name}: {_passing(words, passes, least, most)}")
    return lines


def _passing(words: str, passes: Estimate | None, least: float, most: float) -> str:
    if passes is None:
        return f"there is no independent run with its other settings whose beginnings are {words}."
    if passes.value == np.inf:
        return f"below independent paths ({words}) even at the largest share of good beginnings, {most:g}%."
    if passes.value == -np.inf:
        return f"not below independent paths ({words}) at any share; the smallest is {least:g}%."
    text = f"no longer below independent paths ({words}) from {100 * passes.value:.1f}% of good beginnings on"
    if passes.low is None or passes.high is None:
        return f"{text} (no interval: {passes.why})."
    return f"{text}, [{100 * passes.low:.1f}, {100 * passes.high:.1f}]."


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Pass@1 by the share of good beginnings, and what the paper says of it; errors as in `tolerance`."""
    curves_found = tolerance(folders)
    return Exhibit(
        name="error_tolerance",
        title="How many bad beginnings a group can bear",
        source="Figure 11",
        table=cells(curves_found),
        notes=notes(curves_found),
        figures=Drawings({"error_tolerance": partial(figure, curves_found)}),
        claims=[claim for curve in curves_found for claim in (_beats_bad(curve), _passes_good(curve))],
        runs=list(dict.fromkeys(run for curve in curves_found for run in curve.runs)),
    )


def _beats_bad(curve: Tolerance) -> Claim:
    text = f"LeaP with only bad beginnings beats independent paths with only bad beginnings ({curve.name})."
    level = curve.levels[0]
    if level.share > 0 or level.over_bad is None:
        missing = "run of LeaP without a good beginning" if level.share > 0 else "independent run with bad beginnings"
        return Claim(text, "Figure 11", "undecided", f"There is no {missing}.")
    return directional(text, "Figure 11", level.over_bad, up=True)


def _passes_good(curve: Tolerance) -> Claim:
    text = (
        f"LeaP with at most half of its beginnings good beats independent paths with all of them good ({curve.name})."
    )
    upper = [level for level in curve.levels if PAPERS <= level.share <= HALF]
    if not upper or upper[-1].over_good is None:
        missing = "independent run with good beginnings" if upper else f"run of LeaP with {100 * PAPERS:g} to 50% good"
        return Claim(text, "Figure 11", "undecided", f"There is no {missing}.")
    what = f"difference at {100 * upper[-1].share:g}% good"
    return directional(text, "Figure 11", upper[-1].over_good, up=True, what=what)
