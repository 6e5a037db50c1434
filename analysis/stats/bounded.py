"""What holds for the mean of bounded numbers whatever their distribution: an interval, p, and what could be told.

A bootstrap and a permutation test know only the variation that a sample shows. Where 5% of questions lose 90 points and
45% gain 10, the mean is 0, but three of ten samples of 24 questions hold none that loses: both then call the gain
certain. Gaffke's method (2005; Learned-Miller & Thomas 2020) adds one more value, the worst that there can be, and
weights all values at random. `simulate` measures both on such questions; docs/statistics.md has the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .intervals import CONFIDENCE, ENOUGH, Floats, differing, gaffke

DRAWS = 40_000
ALPHA = 1 - CONFIDENCE
Support = tuple[float, float]


@dataclass(frozen=True)
class Bounds:
    """The 95% interval of a mean, and the two-sided p of its being 0."""

    low: float
    high: float
    p: float


def bounds(values_Q: Sequence[float] | Floats, support: Support, seed: int = 0) -> Bounds | None:
    """Bounds of the mean of a number per question, which lies within `support`; None without a question."""
    if not len(values_Q):
        return None
    lows, highs = _draws(values_Q, support, seed)
    p = min(1.0, 2 * min(_share(lows <= 0), _share(highs >= 0)))
    return Bounds(float(np.quantile(lows, ALPHA / 2)), float(np.quantile(highs, 1 - ALPHA / 2)), p)


def within(values_Q: Sequence[float] | Floats, margin: float, support: Support, seed: int = 0) -> float | None:
    """p of the mean being `margin` or more away from 0: two one-sided tests, of which the larger counts."""
    if not len(values_Q):
        return None
    lows, highs = _draws(values_Q, support, seed)
    return max(_share(lows <= -margin), _share(highs >= margin))


def detectable(
    values_Q: Sequence[float] | Floats, support: Support, level: float = ALPHA, power: float = 0.8, seed: int = 0
) -> float | None:
    """About the smallest true mean whose bounds exclude 0 at this two-sided level with this power.

    The questions are taken to vary as these do, about another mean. None with fewer than `ENOUGH` questions that
    differ, whose spread says nothing.
    """
    values = np.asarray(values_Q, float)
    if not len(values) or differing(values) < ENOUGH:
        return None
    around = values - values.mean()
    error = float(around.std(ddof=1) / np.sqrt(len(values)))
    # The low end is a quantile of draws, each linear in the mean: its worst value has the weight w, the others 1 - w.
    rng = np.random.default_rng(seed)
    weights = rng.standard_exponential((DRAWS, len(values) + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    worst = weights[:, -1]
    needed = (stats.norm.ppf(power) * error - weights[:, :-1] @ around - worst * support[0]) / (1 - worst)
    return float(np.quantile(needed, 1 - level / 2))


def _draws(values_Q: Sequence[float] | Floats, support: Support, seed: int) -> tuple[Floats, Floats]:
    """Gaffke's draws of the low and of the high end."""
    rng = np.random.default_rng(seed)
    values = np.asarray(values_Q, float).round(12)
    return gaffke(values, support[0], rng, DRAWS), gaffke(values, support[1], rng, DRAWS)


def _share(hits: np.ndarray) -> float:
    """The share of draws, never 0: there are only so many."""
    return float((1 + hits.sum()) / (1 + len(hits)))
