"""Intervals: known answers, and simulations of what they claim."""

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest
from scipy import stats as scipy_stats

from analysis.stats.intervals import (
    CHUNK,
    DIFFERENCE,
    ENOUGH,
    SHARE,
    Estimate,
    estimate,
    paired,
    pooled,
    ratio,
)

Rng = np.random.Generator
QUICK = 500  # resamples in a simulation: noisier bounds, the same coverage
SPREAD = [0.1, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 1.0]


def one_group(values: list[float]) -> list[list[float]]:
    return [[value] for value in values]


def test_the_value_is_the_mean_over_questions_of_the_mean_over_groups() -> None:
    found = estimate([[0.0, 1.0], [1.0], [0.0, 0.0, 0.0]])
    assert found.value == pytest.approx((0.5 + 1.0 + 0.0) / 3)
    assert found.n == 3


def test_the_interval_is_the_expanded_percentile_interval() -> None:
    """All 7**7 resamples of seven questions, at the levels of Hesterberg."""
    values = np.array([0.0, 0.1, 0.25, 0.45, 0.7, 0.85, 1.0])
    level = scipy_stats.norm.cdf(-scipy_stats.t.ppf(0.975, 6) * math.sqrt(7 / 6))
    drawn = reduce(lambda sums, _: np.add.outer(sums, values).ravel(), range(6), values) / 7
    found = estimate(one_group(list(values)), SHARE)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [level, 1 - level])), abs=0.02)


def test_the_same_data_give_the_same_interval_and_another_seed_another() -> None:
    first, again, other = (estimate(one_group(SPREAD), SHARE, seed) for seed in (0, 0, 1))
    assert first == again
    assert first.low != other.low


def test_one_question_has_no_interval_and_says_why() -> None:
    found = estimate([[0.25, 0.75]], SHARE)
    assert found == Estimate(0.5, None, None, 1, found.why)
    assert "more than one question" in found.why
    assert not found.excludes_zero


def test_no_questions_at_all_are_no_number() -> None:
    found = estimate([])
    assert math.isnan(found.value)
    assert (found.low, found.high, found.n) == (None, None, 0)


@pytest.mark.parametrize(("right", "count"), [(24, 24), (0, 24), (22, 24), (3, 3), (1, 4)])
def test_where_the_bootstrap_is_blind_the_interval_is_clopper_and_pearsons(right: int, count: int) -> None:
    found = estimate(one_group([1.0] * right + [0.0] * (count - right)), SHARE)
    exact = scipy_stats.binomtest(right, count).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_a_set_where_all_agree_is_never_given_certainty() -> None:
    same = estimate(one_group([0.5] * 24), SHARE)
    assert same.low is not None and same.high is not None
    assert same.low < 0.48 and same.high > 0.52


def test_unbounded_numbers_that_hardly_vary_have_no_interval() -> None:
    found = estimate(one_group([300.0] * 20 + [310.0]))
    assert (found.low, found.high) == (None, None)
    assert f"fewer than {ENOUGH} questions differ" in found.why


def test_intervals_stay_within_what_the_quantity_can_be() -> None:
    found = estimate(one_group([1.0] * 20 + [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), SHARE)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_more_groups_that_agree_do_not_narrow_the_interval() -> None:
    """Sixteen copies of a group are one observation of their question, not sixteen."""
    alone, copied = estimate(one_group(SPREAD), SHARE), estimate([[value] * 16 for value in SPREAD], SHARE)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))


def test_a_large_set_is_resampled_in_pieces_to_the_same_end() -> None:
    values = np.random.default_rng(2).random((CHUNK // 1000, 1))
    found = estimate(values, SHARE)
    assert found.low is not None and found.high is not None
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_paired_differences_are_of_the_same_questions() -> None:
    left, right = [value + 0.05 for value in SPREAD], SPREAD
    found = paired(one_group(left), one_group([value - 0.01 * (index % 3) for index, value in enumerate(right)]))
    assert found.value == pytest.approx(0.05 + 0.01 * 7 / 8)
    with pytest.raises(ValueError, match="same questions"):
        paired(one_group(left), one_group(right[1:]))


def test_pairing_removes_what_questions_have_in_common() -> None:
    """Questions from 10% to 100%, a gain of about 5 points in each: no interval of a mean would show it."""
    gain = [0.05, 0.04, 0.06, 0.03, 0.07, 0.05, 0.02, 0.08]
    found = paired(one_group([a + b for a, b in zip(SPREAD, gain, strict=True)]), one_group(SPREAD), DIFFERENCE)
    assert found.excludes_zero
    assert found.low is not None and 0.02 < found.low < found.value


def test_equal_arms_have_a_difference_of_zero_with_an_interval_about_it() -> None:
    found = paired(one_group(SPREAD), one_group(SPREAD), DIFFERENCE)
    assert found.low is not None and found.high is not None
    assert found.low < found.value == 0 < found.high


def dependent_groups(rng: Rng, questions: int, groups: int) -> np.ndarray:
    """Pass@1 of groups of 16 paths that share their group's luck: questions from never to always solved."""
    solved = rng.beta(0.7, 0.6, (questions, 1)) + rng.normal(0, 0.15, (questions, groups))
    return rng.binomial(16, np.clip(solved, 0, 1)) / 16


def two_arms(rng: Rng, questions: int, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms on the same questions, the first 4.5 points better; groups vary alone."""
    solved = 0.05 + 0.9 * rng.beta(0.7, 0.6, (questions, 1)) + np.zeros((questions, groups))
    return rng.binomial(16, np.clip(solved + 0.05, 0, 1)) / 16, rng.binomial(16, solved) / 16


def coverage(interval: Callable[[Rng], Estimate], truth: float, times: int = 300) -> float:
    rng = np.random.default_rng(11)
    found = [interval(rng) for _ in range(times)]
    return float(np.mean([each.low <= truth <= each.high for each in found]))  # type: ignore[operator]


# 300 sets put 2.5 points of simulation error about a true 95%, so the bounds are 92 to 98%.
@pytest.mark.parametrize(("questions", "groups"), [(8, 1), (24, 1), (24, 3)])
def test_intervals_of_dependent_groups_cover_what_they_claim(questions: int, groups: int) -> None:
    truth = float(dependent_groups(np.random.default_rng(0), 400_000, 1).mean())
    covered = coverage(lambda rng: estimate(dependent_groups(rng, questions, groups), SHARE, resamples=QUICK), truth)
    assert 0.92 <= covered <= 0.98


@pytest.mark.parametrize(("questions", "groups"), [(24, 1), (24, 4)])
def test_intervals_of_paired_differences_cover_what_they_claim(questions: int, groups: int) -> None:
    """With four groups the plain two-stage bootstrap covers 99% here: it counts the variation of groups twice."""
    left, right = two_arms(np.random.default_rng(0), 400_000, 1)
    covered = coverage(
        lambda rng: paired(*two_arms(rng, questions, groups), DIFFERENCE, resamples=QUICK), float((left - right).mean())
    )
    assert 0.92 <= covered <= 0.98


def test_the_interval_of_a_nearly_solved_set_covers_at_least_what_it_claims() -> None:
    """Three percent of questions fail: half of all sets of 24 show none of them, which a bootstrap calls certainty."""
    covered = coverage(lambda rng: estimate((rng.random((24, 1)) < 0.97).astype(float), SHARE), 0.97, times=200)
    assert covered >= 0.93


def test_a_pooled_statistic_is_of_the_sums_and_resamples_questions() -> None:
    """A ratio of sums is no mean of ratios; all 7**7 resamples of seven questions, at the same levels as a mean."""
    parts, wholes = np.array([0.0, 1, 1, 2, 3, 5, 6]), np.array([4.0, 9, 5, 4, 4, 6, 6])
    totals = [reduce(lambda sums, _, of=of: np.add.outer(sums, of).ravel(), range(6), of) for of in (parts, wholes)]
    level = scipy_stats.norm.cdf(-scipy_stats.t.ppf(0.975, 6) * math.sqrt(7 / 6))
    found = pooled(np.stack([parts, wholes], axis=1), lambda sums: sums[..., 0] / sums[..., 1])
    assert found.value == pytest.approx(18 / 38) and found.n == 7
    exact = np.quantile(totals[0] / totals[1], [level, 1 - level])
    assert (found.low, found.high) == pytest.approx(tuple(exact), abs=0.02)
    assert ratio(parts, wholes) == found
    assert ratio([*parts, 0], [*wholes, 0]) == found, "a question without a whole has no say"


def test_a_pooled_statistic_that_resamples_cannot_give_has_no_interval() -> None:
    sums = np.arange(13.0)[:, None]
    found = pooled(sums, lambda total: np.where(total[..., 0] > 90, np.nan, total[..., 0]))
    assert (found.value, found.low, found.high, found.n) == (78, None, None, 13)
    assert found.why == "too many resamples give no number"
    assert pooled(sums, lambda total: 0 * total[..., 0]).why.startswith("fewer than")
