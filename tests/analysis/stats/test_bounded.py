"""Bounds that hold for any distribution: known answers, and the power they are said to have."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from analysis.stats import simulate
from analysis.stats.bounded import bounds, detectable, within
from analysis.stats.intervals import DIFFERENCE, SHARE


@pytest.mark.parametrize(("won", "lost"), [(7, 0), (12, 3), (60, 40)])
def test_of_votes_won_and_lost_they_are_the_exact_binomial_ones(won: int, lost: int) -> None:
    found = bounds([1.0] * won + [-1.0] * lost, DIFFERENCE)
    exact = scipy_stats.binomtest(won, won + lost)
    interval = exact.proportion_ci(0.95, "exact")
    assert found is not None and found.p == pytest.approx(exact.pvalue, rel=0.1, abs=0.001)
    assert (found.low, found.high) == pytest.approx((2 * interval.low - 1, 2 * interval.high - 1), abs=0.02)


def test_nothing_lost_is_no_proof_that_nothing_can_be() -> None:
    """Eleven of 24 questions gain 10 points, none loses: one in eight may well lose all."""
    found = bounds([0.1] * 11 + [0.0] * 13, DIFFERENCE)
    unseen = 1 - 0.025 ** (1 / 24)  # of this share of questions 24 hold none one time in forty
    assert found is not None and found.p > 0.3
    assert -unseen < found.low < -unseen + 0.1 * 11 / 24


@pytest.mark.parametrize("count", [5, 24, 500])
def test_five_questions_that_differ_decide_nothing(count: int) -> None:
    found = bounds([1.0] * 5 + [0.0] * (count - 5), DIFFERENCE)
    assert found is not None and found.p > 0.05


def test_one_more_question_that_gains_moves_them_a_little() -> None:
    """The bootstrap begins at six with [1.7, 9.4], where five are given [-10.7, 18.4]."""
    found = [bounds([0.2] * count + [0.0] * (24 - count), DIFFERENCE) for count in range(2, 12)]
    ends = np.array([(each.low, each.high) for each in found if each is not None])
    assert len(ends) == 10 and (np.diff(ends, axis=0) > 0).all() and (np.diff(ends, axis=0) < 0.02).all()


def test_they_stay_within_the_support_and_nothing_has_none() -> None:
    found = bounds([1.0] * 10, SHARE)
    assert found is not None and 0 < found.low < 1 and found.high == 1
    assert bounds([], DIFFERENCE) is None and within([], 0.05, DIFFERENCE) is None


def test_a_small_difference_is_within_a_margin_only_where_enough_questions_say_so() -> None:
    small = [0.01, -0.01, 0.0, 0.02, -0.02]
    few, many, half = (within(small * times, 0.05, DIFFERENCE) for times in (5, 30, 60))
    assert few is not None and many is not None and half is not None
    assert few > 0.05 > many > half
    moved = within([value + 0.05 for value in small * 60], 0.05, DIFFERENCE)
    assert moved is not None and moved > 0.4, "at the margin itself"


@pytest.mark.parametrize(("questions", "level"), [(30, 0.05), (120, 0.05), (120, 0.005)])
def test_a_detectable_difference_is_found_about_as_often_as_it_says(questions: int, level: float) -> None:
    rng = np.random.default_rng(4)
    spread = rng.normal(0, 0.12, questions)
    found = detectable(spread, DIFFERENCE, level)
    assert found is not None
    sets = found + spread.std(ddof=1) * rng.normal(size=(1000, questions))
    weights = rng.standard_exponential((20_000, questions + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    low = np.quantile(weights[:, :-1] @ sets.T - weights[:, -1:], level / 2, axis=0)
    assert 0.7 <= np.mean(low > 0) <= 0.9


def test_what_can_be_detected_grows_with_the_family_and_few_questions_have_none() -> None:
    spread = simulate.GAIN.draw(np.random.default_rng(1), (1, 60))[0]
    alone, among = (detectable(spread, DIFFERENCE, level) for level in (0.05, 0.005))
    assert alone is not None and among is not None and 0 < alone < among
    assert detectable([0.1] * 5 + [0.0] * 20, DIFFERENCE) is None and detectable([], DIFFERENCE) is None
