"""The odds ratio of Mantel and Haenszel (1959): two yes-or-no columns compared only within strata that are alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from .intervals import RESAMPLES, Estimate, pooled


@dataclass(frozen=True)
class Odds:
    """A pooled odds ratio: above 1 where the exposed more often had the outcome."""

    ratio: Estimate
    strata: int  # that inform it: with exposed and unexposed, with and without the outcome
    rows: int  # in these strata


def mantel_haenszel(
    rows: pd.DataFrame,
    exposed: str,
    outcome: str,
    within: Sequence[str],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Odds:
    """The odds ratio between two columns of booleans, stratified by the question and the columns `within`.

    A stratum gives information only if it holds exposed and unexposed rows, and both outcomes; the others drop out of
    the formula by themselves. Every stratum belongs to one question, so that whole questions can be resampled:
    `ratio.n` counts the questions with an informative stratum. No interval where too few of them differ.
    """
    sums = _strata(rows, exposed, outcome, ["question_id", *within])
    informative = sums[(sums["for"] + sums["against"]) > 0]
    by_question = informative.groupby("question_id")[["for", "against"]].sum().to_numpy(float)
    ratio = pooled(by_question, lambda total: total[..., 0] / total[..., 1], seed, resamples)
    return Odds(ratio, len(informative), int(informative["size"].sum()))


def _strata(rows: pd.DataFrame, exposed: str, outcome: str, by: list[str]) -> pd.DataFrame:
    """A row a stratum: what it says for (a d / n) and against (b c / n) the exposed having the outcome more often."""
    yes, got = rows[exposed].astype(bool), rows[outcome].astype(bool)
    cells = {"a": yes & got, "b": yes & ~got, "c": ~yes & got, "d": ~yes & ~got}
    counts = rows[by].assign(**cells).groupby(by, as_index=False)[list(cells)].sum()
    size = counts[list(cells)].sum(axis=1)
    return counts.assign(
        **{"for": counts["a"] * counts["d"] / size, "against": counts["b"] * counts["c"] / size, "size": size}
    )
