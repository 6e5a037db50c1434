"""Tests of paired differences: known answers, and simulations of what they claim."""

from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from analysis.stats.significance import holm, permutation_p

Rng = np.random.Generator


def test_the_permutation_test_is_exact_for_few_questions() -> None:
    differences = [0.1, 0.2, -0.05, 0.3, 0.15]
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True))) for signs in product((1, -1), repeat=5)
    ]
    exact = np.mean([total >= sum(differences) - 1e-12 for total in sums])
    assert permutation_p(differences, [0.0] * 5) == pytest.approx(exact)


def test_questions_without_a_difference_leave_p_as_it_is() -> None:
    differences = [0.1, 0.2, -0.05, 0.3, 0.15]
    assert permutation_p([*differences, *[0.5] * 50], [0.0] * 5 + [0.5] * 50) == permutation_p(differences, [0.0] * 5)


@pytest.mark.parametrize(
    ("left", "right", "p"),
    [
        ([0.3], [0.1], None),
        ([0.3, 0.4], [0.3, 0.4], 1.0),
        ([0.3, 0.4], [0.1, 0.4], 1.0),
        ([0.3] * 6, [0.1] * 6, 2 / 64),
    ],
)
def test_permutation_p_at_the_edges(left: list[float], right: list[float], p: float | None) -> None:
    assert permutation_p(left, right) == p


def test_permutation_p_has_a_random_form_for_many_questions() -> None:
    rng = np.random.default_rng(5)
    left, right = rng.random(40), rng.random(40)
    p = permutation_p(left, right)
    assert p == permutation_p(left, right)
    assert p == pytest.approx(scipy_stats.ttest_rel(left, right).pvalue, abs=0.03)


def test_the_permutation_test_rejects_a_true_null_one_time_in_twenty() -> None:
    """500 sets without a difference: 1 point of simulation error, so 3 to 7%."""
    rng = np.random.default_rng(3)
    found = [permutation_p(*rng.binomial(16, rng.beta(0.7, 0.6, 10), (2, 10)) / 16) for _ in range(500)]
    assert 0.03 <= np.mean([p is not None and p <= 0.05 for p in found]) <= 0.07


def test_holm_multiplies_by_what_is_still_to_be_tested_and_never_falls() -> None:
    """By hand: 0.01 * 4, 0.02 * 3, then 0.02 * 2 is below the one before it, then 0.5 * 1."""
    assert holm([0.5, 0.01, None, 0.02, 0.02]) == pytest.approx([0.5, 0.04, None, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03], "a family of one needs no correction"
    assert holm([None]) == [None] and holm([]) == []


def test_holm_keeps_the_error_of_a_whole_family_at_five_percent() -> None:
    """Four true nulls beside one false one. Uncorrected, 18% of families reject a true one."""
    rng = np.random.default_rng(8)
    plain = rng.random((4000, 4))
    corrected = [holm([1e-6, *family]) for family in plain]
    assert np.mean((plain < 0.05).any(axis=1)) > 0.15
    assert 0.04 <= np.mean([min(p for p in family[1:] if p is not None) < 0.05 for family in corrected]) <= 0.06
