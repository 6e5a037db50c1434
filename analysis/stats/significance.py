"""Tests of paired differences: p by permutation, and p of a family."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .intervals import CHUNK, RESAMPLES, Floats


def permutation_p(left_Q: Sequence[float] | Floats, right_Q: Sequence[float] | Floats, seed: int = 0) -> float | None:
    """Two-sided p of a paired permutation test (signs of the differences); None with fewer than two questions.

    Questions without a difference leave the distribution as it is, so they are left out: the test is exact up to 13
    questions that differ, and random with `RESAMPLES` draws beyond.
    """
    left, right = np.asarray(left_Q, float), np.asarray(right_Q, float)
    if len(left) < 2:
        return None
    differ = ~np.isclose(left, right, rtol=0, atol=1e-12)
    if differ.sum() < 2:
        return 1.0  # nothing to flip, or one difference whose two signs are equally extreme
    result = stats.permutation_test(
        (left[differ], right[differ]),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, CHUNK // int(differ.sum())),
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """p values corrected for being a family (Holm 1979), each in its place; None stays None and does not count.

    Below 5% they wrongly reject any of the family's true nulls one time in twenty at most, however the tests depend.
    """
    ranked = sorted((p, index) for index, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    least = 0.0
    for rank, (p, index) in enumerate(ranked):
        least = max(least, min(1.0, (len(ranked) - rank) * p))
        adjusted[index] = least
    return adjusted
