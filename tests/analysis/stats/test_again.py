"""Intervals for these very questions: known answers, what is refused, and simulations of what they claim."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from analysis.stats import again
from analysis.stats.intervals import SHARE, paired


def test_one_question_has_students_interval_of_its_samples() -> None:
    values = [0.1, 0.4, 0.5, 0.9]
    found = again.estimate([values])
    exact = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((0.475, exact.low, exact.high))


def test_two_arms_on_one_question_are_welchs_test() -> None:
    left, right = [0.1, 0.4, 0.5, 0.9], [0.2, 0.1, 0.0]
    found, p = again.paired([left], [right])
    exact = scipy_stats.ttest_ind(left, right, equal_var=False)
    interval = exact.confidence_interval(0.95)
    assert p == pytest.approx(exact.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_one_group_cannot_show_how_another_would_differ() -> None:
    found = again.estimate([[0.5, 0.25], [0.75]])
    assert (found.value, found.low, found.high) == (0.5625, None, None) and "groups=2" in found.why
    difference, p = again.paired([[0.5, 0.25]], [[0.75]])
    assert (difference.low, p) == (None, None) and "groups=2" in difference.why


def test_without_variation_or_questions_there_is_no_interval() -> None:
    assert again.estimate([[1.0, 1.0]] * 9).why == "no question varies between its groups"
    assert again.estimate([]).why == "nothing to count"
    with pytest.raises(ValueError, match="same questions"):
        again.paired([[0.5, 0.25]], [])


def test_it_stays_within_what_the_quantity_can_be_and_ignores_how_questions_differ() -> None:
    found = again.estimate([[0.0, 0.5], [1.0, 1.0], [1.0, 1.0]], SHARE)
    assert found.low is not None and found.high is not None and 0 <= found.low <= found.high <= 1
    apart, alike = again.estimate([[0.0, 0.2], [0.8, 1.0]] * 9), again.estimate([[0.4, 0.6]] * 18)
    assert (apart.low, apart.high) == pytest.approx((alike.low, alike.high))


@pytest.mark.parametrize("groups", [2, 4, 16])
def test_it_covers_the_mean_of_these_questions(groups: int) -> None:
    """24 questions from never to always solved, 16 paths that share their group's luck; 400 sets, so 92.5 to 98%."""
    rng = np.random.default_rng(7)
    hits, better = 0, 0
    for _ in range(400):
        ease = rng.beta(0.7, 0.6, (24, 1))

        def sample(ease: np.ndarray = ease) -> np.ndarray:
            kept = 0.8 * ease + 0.2 * rng.random((24, groups))
            return rng.binomial(16, kept) / 16

        truth = float((0.8 * ease + 0.1).mean())
        found, (difference, p) = again.estimate(sample(), SHARE), again.paired(sample(), sample())
        hits += found.low <= truth <= found.high  # type: ignore[operator]
        better += p is not None and p < 0.05
        assert difference.low is not None
    assert 0.925 <= hits / 400 <= 0.98 and better / 400 <= 0.08


def test_other_questions_vary_more_than_these() -> None:
    rng = np.random.default_rng(8)
    ease = rng.beta(0.7, 0.6, (24, 1))
    gain = rng.normal(0, 0.15, (24, 1))
    left = rng.binomial(16, np.clip(ease + gain, 0, 1), (24, 4)) / 16
    right = rng.binomial(16, ease, (24, 4)) / 16
    these, like = again.paired(left, right)[0], paired(left, right)
    assert like.low is not None and like.high is not None and these.low is not None and these.high is not None
    assert these.value == pytest.approx(like.value) and these.high - these.low < 0.7 * (like.high - like.low)
