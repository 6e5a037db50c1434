"""What the types of communication say of the paper's claims."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from ..drawing.numerals import number, percent
from ..measures.contrasts import Against
from ..measures.exchanges import CONSISTENT, INFLUENCED, UNAFFECTED
from ..stats.intervals import DIFFERENCE, ENOUGH, SHARE, Floats, estimate
from ..stats.odds import Odds, mantel_haenszel
from .base import Asked, Claim, Verdict, decided

GROUP = ["question_id", "group"]


def claims_of(runs: Sequence[tuple[pd.DataFrame, bool]]) -> list[list[Claim]]:
    """Of each run the claims on its communications (`exchanges_of`); `True`: its probes are samples."""
    told = [table[table["type"].notna()] for table, _ in runs]
    asked = [_earlier(each) for each in told]
    claims = iter(decided([each for each in asked if isinstance(each, Asked)], "runs"))
    earlier = [next(claims) if isinstance(each, Asked) else each for each in asked]
    return [
        [_minority(own), _by_chance(claim) if by_chance else claim, _odds(odds_of(table))]
        for (table, by_chance), own, claim in zip(runs, told, earlier, strict=True)
    ]


def _by_chance(claim: Claim) -> Claim:
    """A claim on shares of changes where probes are samples: it decides nothing."""
    if claim.verdict == "undecided":
        return claim
    why = "Probes are samples here, and how much of each share is chance may differ between blocks."
    return replace(claim, verdict="undecided", because=f"{claim.because} {why}")


def _minority(told: pd.DataFrame) -> Claim:
    """How ties among the heard count does not matter: a path that keeps its answer is one or the other."""
    text, source = "Most communications are consistent or unaffected.", "Figure 9"
    kept = estimate(by_question_of(told, told["type"].isin((CONSISTENT, UNAFFECTED))), SHARE)
    because = f"{percent(kept)}% of communications are consistent or unaffected, over {kept.n} questions."
    if kept.low is None or kept.high is None:
        return Claim(text, source, "undecided", f"{because} There is no interval: {kept.why}.")
    return Claim(text, source, _verdict(kept.low > 0.5, kept.high < 0.5), because)


def _earlier(told: pd.DataFrame) -> Asked | Claim:
    """First block against the last one that enough questions reach, in the same groups."""
    text, source = "The share of influenced communications is larger at early blocks than at late ones.", "Figure 9"
    influenced = (told["type"] == INFLUENCED).astype(float)
    by_turn = told.assign(influenced=influenced).pivot_table("influenced", GROUP, "turn")
    first, *later = sorted(map(int, set(told["turn"])))
    falls = {turn: (by_turn[first] - by_turn[turn]).dropna() for turn in later}
    late = [turn for turn, fall in falls.items() if fall.index.get_level_values("question_id").nunique() >= ENOUGH]
    if not late:
        return Claim(text, source, "undecided", f"No later block has {ENOUGH} questions in common with the first.")
    fall = [groups.to_numpy(float) for _, groups in falls[late[-1]].groupby("question_id")]
    what = f"influenced share at block {first + 1} minus that at block {late[-1] + 1}"
    return Asked(text, source, Against.of_zero(fall, DIFFERENCE), up=True, what=what)


def _odds(found: Odds) -> Claim:
    text, source = "Hearing a right peer raises the odds of being right after the block.", "ours"
    ratio = found.ratio
    because = (
        f"The odds ratio (Mantel-Haenszel, within question, block and own rightness before) is {number(ratio)}, from "
        f"{found.rows} blocks in {found.strata} informative strata of {ratio.n} questions; an association, as the "
        "router chooses the peers."
    )
    if ratio.low is None or ratio.high is None:
        return Claim(text, source, "undecided", f"{because} There is no interval: {ratio.why}.")
    return Claim(text, source, _verdict(ratio.low > 1, ratio.high < 1), because)


def _verdict(holds: bool, fails: bool) -> Verdict:
    return "holds" if holds else "does not hold" if fails else "undecided"


def by_question_of(blocks: pd.DataFrame, counted: pd.Series) -> list[Floats]:
    """Means over the blocks of a group, an array of groups per question; unknown ones are left out."""
    means = blocks.assign(counted=counted.astype(float)).dropna(subset="counted").groupby(GROUP)["counted"].mean()
    return [groups.to_numpy(float) for _, groups in means.groupby("question_id")]


def odds_of(table: pd.DataFrame) -> Odds:
    """How hearing a right peer goes with being right after the block."""
    return mantel_haenszel(table.dropna(subset="right_peer"), "right_peer", "after", ["turn", "before"])
