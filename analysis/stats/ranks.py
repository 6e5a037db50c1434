"""Which place a method has among several on the same questions, with an interval.

Questions are resampled, all methods together, and ranked anew each time. The levels are those of `intervals.levels`,
at 5% divided by the number of methods (Bonferroni): all intervals hold together with about 95%. A bootstrap of ranks
is known to be too sure where methods are equal or nearly so (Hall & Miller 2009), and rare questions that were not
asked are in no resample. So an interval says what the questions that were asked leave open, at least.
"""

from dataclasses import dataclass

import numpy as np

from .intervals import CONFIDENCE, ENOUGH, RESAMPLES, Floats, levels

EQUAL = 1e-12  # means that are nearer share a rank


@dataclass(frozen=True)
class Rank:
    """A place, 1 for the best, and the places that the data leave open; None where there are too few questions.

    Methods that are equal share the best of their places. In the interval each may have any of them.
    """

    place: int
    low: int | None
    high: int | None


def ranks(values_MQ: Floats, seed: int = 0, resamples: int = RESAMPLES) -> list[Rank]:
    """The rank of each of M methods by its mean over Q questions, larger is better."""
    methods, count = values_MQ.shape
    best, _ = _places(values_MQ.mean(axis=1)[None])
    patterns = len(np.unique(values_MQ.round(12), axis=1).T) if count else 0
    if count < ENOUGH or patterns < 2:
        return [Rank(int(place), None, None) for place in best[0]]
    drawn_RQ = np.random.default_rng(seed).multinomial(count, [1 / count] * count, resamples)
    first_RM, last_RM = _places(drawn_RQ @ values_MQ.T / count)
    low, high = levels(count, 1 - (1 - CONFIDENCE) / methods)
    lows = np.quantile(first_RM, low, axis=0, method="inverted_cdf")
    highs = np.quantile(last_RM, high, axis=0, method="inverted_cdf")
    return [Rank(int(place), int(a), int(b)) for place, a, b in zip(best[0], lows, highs, strict=True)]


def _places(means_RM: Floats) -> tuple[Floats, Floats]:
    """The best and the worst place of each method in each of R rankings: equal methods share a span of places."""
    ahead = means_RM[:, None, :] - means_RM[:, :, None]  # of each method by how much each other one is ahead
    first = 1 + (ahead > EQUAL).sum(axis=2)
    return first, (ahead >= -EQUAL).sum(axis=2)
