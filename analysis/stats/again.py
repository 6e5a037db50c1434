"""Intervals for these very questions: what their mean would be, were they asked again.

Questions are taken as given, and only what was sampled for each varies: groups, or paths where these are independent.
The interval is Student's, with the variance of every question by itself (Welch 1947). It needs two independent samples
of each question, and says nothing of other questions. Two arms are taken to be independent: paths that began with the
same seeds are alike up to the first block, which makes the interval of their difference wider than it would have to be.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .intervals import CONFIDENCE, Estimate, Floats, Ragged

ONE = (
    "for these questions an interval needs two groups of each (groups=2): paths of a group influence each other, so "
    "one group cannot show how another would differ"
)
NONE = "no question varies between its groups"


@dataclass(frozen=True)
class Arm:
    """One method's samples: the mean of each question, its variance, and the degrees of freedom of that."""

    means_Q: Floats
    variances_Q: Floats  # of the means; NaN with a single sample
    freedom_Q: Floats

    @classmethod
    def of(cls, values_QG: Ragged) -> "Arm":
        """`values_QG`: independent samples of every question, possibly different numbers of them."""
        groups = [np.asarray(values, float) for values in values_QG]
        sizes = np.array([len(values) for values in groups], float)
        spread = [values.var(ddof=1) if len(values) > 1 else np.nan for values in groups]
        return cls(np.array([values.mean() for values in groups]), np.array(spread) / sizes, sizes - 1)


def estimate(values_QG: Ragged, support: tuple[float, float] | None = None) -> Estimate:
    """Mean over questions of the mean over their samples; errors are in `why` of the result."""
    arm = Arm.of(values_QG)
    return _of(arm.means_Q, [arm], support)[0]


def paired(
    left_QG: Ragged, right_QG: Ragged, support: tuple[float, float] | None = None
) -> tuple[Estimate, float | None]:
    """Mean of left minus right over the same questions in the same order, and the two-sided p of its being 0."""
    left, right = Arm.of(left_QG), Arm.of(right_QG)
    if len(left.means_Q) != len(right.means_Q):
        raise ValueError(f"paired differences need the same questions: {len(left.means_Q)} and {len(right.means_Q)}")
    return _of(left.means_Q - right.means_Q, [left, right], support)


def _of(means_Q: Floats, arms: list[Arm], support: tuple[float, float] | None) -> tuple[Estimate, float | None]:
    count = len(means_Q)
    value = float(means_Q.mean()) if count else float("nan")
    variances = np.concatenate([arm.variances_Q for arm in arms])
    if not count or np.isnan(variances).any():
        return Estimate(value, None, None, count, ONE if count else "nothing to count"), None
    total = float(variances.sum())
    if total == 0:
        return Estimate(value, None, None, count, NONE), None
    freedom = total**2 / float((variances**2 / np.concatenate([arm.freedom_Q for arm in arms])).sum())
    error = float(np.sqrt(total)) / count
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    low, high = support or (-np.inf, np.inf)
    found = Estimate(value, max(low, value - reach), min(high, value + reach), count)
    return found, float(2 * stats.t.sf(abs(value) / error, freedom))
