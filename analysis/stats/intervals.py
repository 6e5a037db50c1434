"""Intervals that respect the structure of the data, and never use a normal approximation.

Paths of a LeaP group influence each other, so a group is one observation, and the groups of a question share the
question. Two methods are compared by paired differences over the same questions.

Intervals are two-stage bootstrap intervals: questions are drawn with replacement, then groups within each. Two
corrections make them cover what they claim (`tests/analysis/stats/test_intervals.py` simulates it):

- A question's mean already varies by its groups, so drawing groups as well counts that variation twice. The means
  are first shrunk toward each other by as much as the second stage adds (after Davison & Hinkley 1997, section 3.8).
- Percentiles of a bootstrap are too narrow in small samples. The levels are those of Hesterberg's "expanded
  percentile" interval (2015, section 5.2), which restores the factor n / (n - 1) and the heavier tails of Student's t.
  BCa corrects for skewness but not for this, and needs an acceleration that few questions cannot give.

A bootstrap knows only the variation its sample shows: where fewer than `ENOUGH` questions differ from the commonest
value (a set solved throughout, or a tiny one) it would claim certainty. Bounded quantities then get Gaffke's interval
for bounded means (Gaffke 2005; Learned-Miller & Thomas 2020), wide but honest: for questions that are all right or
wrong it is the exact binomial one of Clopper and Pearson. Anything else gets none, and the reason in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Ragged = Sequence[Sequence[float] | Floats]  # a number per question and group

CONFIDENCE = 0.95
RESAMPLES = 10_000
CHUNK = 4_000_000  # numbers drawn at once, to bound memory
ENOUGH = 6  # questions that differ; with fewer a two-sided sign test cannot reach 5% (2 / 2**5 > 0.05) either
SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)  # what a share, and a difference of shares, can be


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval over `n` questions.

    `low` and `high` are None where there is no honest interval, and `why` says why.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    why: str = ""

    def as_dict(self) -> dict[str, float | int | None]:
        """Value, low, high and n, for JSON and trackers."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval decides the sign."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate(
    values_QG: Ragged, support: tuple[float, float] | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Mean over questions of the mean over their groups.

    `values_QG`: a number per question and group, questions may have different numbers of groups. `support`: the least
    and the largest value there can be, None when there is none.
    """
    arm = _Arm(values_QG)
    return _with_interval(arm.means, [arm], support, seed, resamples)


def paired(
    left_QG: Ragged,
    right_QG: Ragged,
    support: tuple[float, float] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Mean of left minus right over the same questions in the same order; `support` is that of the difference."""
    left, right = _Arm(left_QG), _Arm(right_QG, sign=-1)
    if len(left.means) != len(right.means):
        raise ValueError(f"paired differences need the same questions: {len(left.means)} and {len(right.means)}")
    return _with_interval(left.means + right.means, [left, right], support, seed, resamples)


def ratio(
    parts_Q: Sequence[float] | Floats, wholes_Q: Sequence[float] | Floats, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """A rate such as recoveries among wrong paths: the sum of the parts over the sum of the wholes, in [0, 1].

    Both are sums over all groups of a question, and whole questions are resampled, so that paths of a group and groups
    of a question may depend on each other. `n` counts the questions that have a whole.
    """
    parts, wholes = np.asarray(parts_Q, float), np.asarray(wholes_Q, float)
    counted = wholes > 0
    return pooled(
        np.stack([parts[counted], wholes[counted]], axis=1), lambda sums: sums[..., 0] / sums[..., 1], seed, resamples
    )


def pooled(
    sums_QX: Floats, statistic: Callable[[Floats], Floats], seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """A statistic of sums over all questions, such as a ratio or a survival curve; whole questions are resampled.

    `sums_QX`: what each question adds to each of X sums, of questions that count at all. `statistic` takes sums of
    shape (..., X) and gives shape (...). No interval with fewer than `ENOUGH` questions whose own statistic differs
    from the commonest one, or where a resample that counts gives no number.
    """
    count = len(sums_QX)
    if not count:
        return Estimate(float("nan"), None, None, 0, "nothing to count")
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(sums_QX.sum(axis=0)))
        if differing(statistic(sums_QX)) < ENOUGH:
            return Estimate(value, None, None, count, f"fewer than {ENOUGH} questions differ: too few to resample")
        drawn = statistic(_drawn_sums(sums_QX, resamples, np.random.default_rng(seed)))
        low, high = np.quantile(drawn, levels(count))
    if not np.isfinite([low, high]).all():
        return Estimate(value, None, None, count, "too many resamples give no number")
    return Estimate(value, float(low), float(high), count)


def _drawn_sums(sums_QX: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """The sums of `resamples` sets of as many questions, drawn with replacement; shape (resamples, X)."""
    count = len(sums_QX)
    rows = max(1, CHUNK // count)
    parts = [
        rng.multinomial(count, np.full(count, 1 / count), min(rows, resamples - start)) @ sums_QX
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(parts)


class _Arm:
    """One method's numbers: a mean per question, and what groups add to it when they are drawn again."""

    def __init__(self, values_QG: Ragged, sign: int = 1) -> None:
        groups = [np.asarray(values, float) for values in values_QG]
        self.sizes: Integers = np.array([len(values) for values in groups], dtype=np.int64)
        self.means: Floats = sign * np.array([values.mean() for values in groups])
        # Deviations from the question's mean, padded with 0, scaled so that a draw varies as a new group would.
        self._around: Floats = np.zeros((len(groups), max(map(len, groups), default=0)))
        for row, values in enumerate(groups):
            if len(values) > 1:
                scale = sign * np.sqrt(len(values) / (len(values) - 1))
                self._around[row, : len(values)] = scale * (values - values.mean())

    @property
    def width(self) -> int:
        """Groups of the question that has most."""
        return int(self._around.shape[1])

    @property
    def noise(self) -> float:
        """Variance that a question's mean has by its groups, averaged over questions."""
        return float(((self._around**2).sum(axis=1) / self.sizes**2).mean())

    def drawn(self, questions: Integers, rng: np.random.Generator) -> Floats:
        """For each drawn question the mean deviation of its groups, drawn with replacement."""
        size = self.sizes[questions][..., None]
        picks = (rng.random((*questions.shape, self.width)) * size).astype(np.int64)
        deviations = np.where(np.arange(self.width) < size, self._around[questions[..., None], picks], 0.0)
        return np.asarray(deviations.sum(axis=-1) / size[..., 0])


def _with_interval(
    means: Floats, arms: list[_Arm], support: tuple[float, float] | None, seed: int, resamples: int
) -> Estimate:
    count = len(means)
    value = float(means.mean()) if count else float("nan")
    rng = np.random.default_rng(seed)
    if count < 2:
        return Estimate(value, None, None, count, "an interval over questions needs more than one question")
    if differing(means) >= ENOUGH:
        low, high = np.quantile(_resampled(means, arms, resamples, rng), levels(count))
    elif support is not None:
        low, high = _bounded(means, support, rng)
    else:
        return Estimate(value, None, None, count, f"fewer than {ENOUGH} questions differ: too few to resample")
    if support is not None:
        low, high = max(low, support[0]), min(high, support[1])
    return Estimate(value, float(low), float(high), count)


def differing(means: Floats) -> int:
    """Questions that do not have the commonest value."""
    return int(len(means) - np.unique(means.round(12), return_counts=True)[1].max())


def levels(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The levels of the expanded percentile interval for `count` questions."""
    student = stats.t.ppf((1 + confidence) / 2, count - 1)
    low = float(stats.norm.cdf(-student * np.sqrt(count / (count - 1))))
    return low, 1 - low


def _resampled(means: Floats, arms: list[_Arm], resamples: int, rng: np.random.Generator) -> Floats:
    """`resamples` means over drawn questions and, where there are several, drawn groups."""
    grouped = [arm for arm in arms if arm.noise > 0]
    noise, spread = sum(arm.noise for arm in grouped), float(means.var(ddof=1))
    by_groups = min(noise, spread)  # what of the spread of the means the groups account for
    centers = means.mean() + np.sqrt(1 - by_groups / spread) * (means - means.mean())
    rows = max(1, CHUNK // (len(means) * max(arm.width for arm in arms)))
    parts = []
    for start in range(0, resamples, rows):
        questions = rng.integers(0, len(means), (min(rows, resamples - start), len(means)))
        drawn = centers[questions]
        for arm in grouped:
            drawn += np.sqrt(by_groups / noise) * arm.drawn(questions, rng)
        parts.append(drawn.mean(axis=1))
    return np.concatenate(parts)


def _bounded(means: Floats, support: tuple[float, float], rng: np.random.Generator) -> tuple[float, float]:
    """Gaffke's interval."""
    tail = (1 - CONFIDENCE) / 2
    low, high = (gaffke(means, bound, rng, 10 * RESAMPLES) for bound in support)
    return float(np.quantile(low, tail)), float(np.quantile(high, 1 - tail))


def gaffke(means: Floats, bound: float, rng: np.random.Generator, draws: int) -> Floats:
    """`draws` means of the sample and one more value, placed at the bound, all weighted at random."""
    values, counts = np.unique(means, return_counts=True)
    weights = rng.standard_gamma([*counts, 1], size=(draws, len(counts) + 1))
    return np.asarray(weights @ [*values, bound] / weights.sum(axis=1))
