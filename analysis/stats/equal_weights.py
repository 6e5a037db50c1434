"""Means over several sets of questions, such as data sets, in which each set counts the same whatever its size.

The interval is put together from the sets' own ones (Zou & Donner 2008, "MOVER"): how far a mean of independent
estimates reaches is the root of the sum of squares of how far each reaches on that side. So it is as good as these
are, and as lopsided. The test flips signs of differences over all questions, each with the weight that it has in the
mean.
"""

from collections.abc import Sequence

import numpy as np

from .intervals import Estimate, Floats
from .significance import permutation_p


def mean(found: Sequence[Estimate]) -> Estimate:
    """The mean of estimates of independent sets; `n` counts all questions. No interval unless every set has one."""
    value = float(np.mean([each.value for each in found])) if found else float("nan")
    count = sum(each.n for each in found)
    if not found:
        return Estimate(value, None, None, 0, "nothing to count")
    below, above = [], []
    for each in found:
        if each.low is None or each.high is None:
            return Estimate(value, None, None, count, each.why)
        below.append(each.value - each.low)
        above.append(each.high - each.value)
    low, high = (float(np.sqrt(np.square(reach).sum())) / len(found) for reach in (below, above))
    return Estimate(value, value - low, value + high, count)


def p_of(differences_SQ: Sequence[Sequence[float] | Floats], seed: int = 0) -> float | None:
    """Two-sided p of the mean over S sets of the mean difference of their questions being 0, by permutation of signs.

    None with fewer than two questions or a set without any.
    """
    if not differences_SQ or not all(len(values) for values in differences_SQ):
        return None
    count = sum(map(len, differences_SQ))
    weighted = [np.asarray(values, float) * count / (len(differences_SQ) * len(values)) for values in differences_SQ]
    values = np.concatenate(weighted)
    return permutation_p(values, np.zeros(len(values)), seed)
