"""Means in which every set of questions counts the same: known answers, what is refused, and what intervals claim."""

import numpy as np
import pytest

from analysis.stats.equal_weights import mean, p_of
from analysis.stats.intervals import SHARE, Estimate, estimate
from analysis.stats.significance import permutation_p


def test_sets_count_the_same_and_their_reaches_add_as_squares() -> None:
    found = mean([Estimate(0.5, 0.2, 0.6, 10), Estimate(0.9, 0.5, 1.0, 90)])
    assert found.value == pytest.approx(0.7) and found.n == 100
    assert found.low == pytest.approx(0.7 - np.hypot(0.3, 0.4) / 2)
    assert found.high == pytest.approx(0.7 + np.hypot(0.1, 0.1) / 2)


def test_one_set_has_its_own_interval() -> None:
    one = Estimate(0.5, 0.2, 0.6, 10)
    found = mean([one])
    assert (found.value, found.low, found.high, found.n) == pytest.approx((0.5, 0.2, 0.6, 10))


def test_a_set_without_an_interval_leaves_the_mean_without_one_and_says_why() -> None:
    found = mean([Estimate(0.5, 0.2, 0.6, 10), Estimate(1.0, None, None, 3, "too few")])
    assert (found.value, found.low, found.high, found.n, found.why) == (0.75, None, None, 13, "too few")
    assert mean([]).why == "nothing to count"


def test_p_is_the_permutation_test_where_sets_are_of_one_size() -> None:
    values = np.random.default_rng(0).normal(0.2, 0.5, (2, 6))
    plain = permutation_p(list(values.ravel()), [0.0] * 12)
    assert p_of(list(values)) == pytest.approx(plain)
    assert p_of([]) is None and p_of([[0.5, 0.1], []]) is None


def test_p_weighs_questions_by_the_size_of_their_set() -> None:
    """The mean of the means is 0, so every flip is as extreme, whatever the mean over all questions is."""
    assert p_of([[0.1] * 9, [-0.1]]) == 1
    assert p_of([[0.1] * 9, [0.1] * 9]) == pytest.approx(2 / 2**18, abs=1e-3)


@pytest.mark.parametrize("sizes", [(24, 24), (10, 60), (12, 24, 30)])
def test_it_covers_the_mean(sizes: tuple[int, ...]) -> None:
    """Sets of different ease, 16 paths a question; 300 tries, so 92 to 98%."""
    rng = np.random.default_rng(3)
    shapes = [(0.7, 0.6), (2.0, 0.5), (0.6, 1.5)][: len(sizes)]
    truth = np.mean([a / (a + b) for a, b in shapes])
    hits = 0
    for _ in range(300):
        sets = [rng.binomial(16, rng.beta(a, b, size)) / 16 for size, (a, b) in zip(sizes, shapes, strict=True)]
        found = mean([estimate([[v] for v in values], SHARE, resamples=800) for values in sets])
        hits += found.low is not None and found.high is not None and bool(found.low <= truth <= found.high)
    assert hits / 300 >= 0.92
