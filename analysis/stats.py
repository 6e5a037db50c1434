"""Intervals and tests that respect the structure of the data.

Paths of a LeaP group influence each other, so a group is one observation, and groups of one question share the
question. Intervals resample questions, then groups within each; two methods are compared by paired differences over
the same questions. Nothing here uses a normal approximation.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
RESAMPLES = 10_000
CHUNK = 4_000_000  # numbers drawn at a time, to bound memory


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval over `n` questions; `low` and `high` are None where there is no honest interval."""

    value: float
    low: float | None
    high: float | None
    n: int

    def as_dict(self) -> dict[str, float | int | None]:
        return asdict(self)

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate(
    values_QG: Sequence[Sequence[float]], bounds: tuple[float, float] | None = None, seed: int = 0
) -> Estimate:
    """Mean over questions of the mean over groups, with a 95% bootstrap interval.

    `values_QG` holds one number per question and group. The interval is the percentile interval, widened about the
    estimate by sqrt(n / (n - 1)) against the bootstrap's known narrowness in small samples (Hesterberg 2015, "expanded
    percentile"), and cut at `bounds`. Where all questions agree on a bound of [0, 1], resampling would claim
    certainty; the exact binomial interval over questions stands in. With one question, or no variation, there is none.
    """
    groups = [np.asarray(values, float) for values in values_QG]
    means = np.array([values.mean() for values in groups])
    count, value = len(means), float(means.mean()) if len(means) else float("nan")
    if count < 2:
        return Estimate(value, None, None, count)
    if np.ptp(means) == 0 and all(np.ptp(values) == 0 for values in groups):
        return _unanimous(value, count, bounds)
    low, high = np.percentile(_resampled(groups, np.random.default_rng(seed)), [2.5, 97.5])
    wider = np.sqrt(count / (count - 1))
    low, high = value + wider * (low - value), value + wider * (high - value)
    if bounds:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(value, float(low), float(high), count)


def paired(left_Q: Sequence[float], right_Q: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of left minus right over the same questions, with its interval."""
    differences = np.asarray(left_Q, float) - np.asarray(right_Q, float)
    return estimate([[difference] for difference in differences], seed=seed)


def permutation_p(left_Q: Sequence[float], right_Q: Sequence[float], seed: int = 0) -> float | None:
    """Two-sided p of a paired permutation test over questions, exact for few of them; None with fewer than two."""
    left, right = np.asarray(left_Q, float), np.asarray(right_Q, float)
    if len(left) < 2:
        return None
    if np.array_equal(left, right):
        return 1.0
    result = stats.permutation_test(
        (left, right),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES - 1,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def _resampled(groups: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Means of `RESAMPLES` draws of questions and, within each drawn question, of its groups."""
    sizes = np.array([len(values) for values in groups])
    table = np.zeros((len(groups), sizes.max()))
    for row, values in enumerate(groups):
        table[row, : len(values)] = values
    rows = max(1, CHUNK // table.size)
    parts = [_draw(table, sizes, min(rows, RESAMPLES - start), rng) for start in range(0, RESAMPLES, rows)]
    return np.concatenate(parts)


def _draw(table: Floats, sizes: NDArray[np.int64], count: int, rng: np.random.Generator) -> Floats:
    questions = rng.integers(0, len(table), (count, len(table)))
    if table.shape[1] == 1:
        return np.asarray(table[questions, 0].mean(axis=1))
    size = sizes[questions][..., None]
    picks = (rng.random((*questions.shape, table.shape[1])) * size).astype(int)
    kept = np.arange(table.shape[1]) < size
    drawn = np.where(kept, table[questions[..., None], picks], 0.0)
    return np.asarray((drawn.sum(axis=2) / size[..., 0]).mean(axis=1))


def _unanimous(value: float, count: int, bounds: tuple[float, float] | None) -> Estimate:
    if bounds != (0.0, 1.0) or value not in (0.0, 1.0):
        return Estimate(value, None, None, count)
    exact = stats.binomtest(round(value * count), count).proportion_ci(0.95, "exact")
    return Estimate(value, float(exact.low), float(exact.high), count)
