"""Comparisons of two runs: what became of single questions, when there is a verdict, and families."""

import pytest

from analysis.measures.contrasts import Against, corrected
from analysis.stats.intervals import DIFFERENCE


def of(*values: float, support: tuple[float, float] | None = DIFFERENCE) -> Against:
    return Against.of_zero([[value] for value in values], support)


def test_questions_that_gained_stayed_and_lost_are_counted() -> None:
    found = of(0.25, 0.5, 0.0, -0.125, 1e-15)
    assert (found.up, found.same, found.down, found.worst) == (2, 2, 1, -0.125)
    assert of(0.25, 0.5).worst == 0 and of().worst == 0
    assert found.difference.value == pytest.approx(0.125)


def test_a_difference_is_of_means_over_groups() -> None:
    found = Against.of([[0.0, 1.0], [1.0, 1.0]], [[0.5], [0.0]], DIFFERENCE)
    assert found.by_question == (0, 1) and (found.up, found.same) == (1, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_verdict_needs_interval_permutation_test_and_bounds(sign: int) -> None:
    words = {1: "better", -1: "worse"}[sign]
    gains = [sign * value for value in (0.05, 0.1, 0.15, 0.2, 0.25)]
    few, many = of(*gains * 4), of(*gains * 20)
    assert few.p is not None and few.p < 0.001 and few.difference.excludes_zero and few.verdict == ""
    assert many.verdict == words
    assert of(*gains * 20, support=None).verdict == "", "nothing holds for quantities without a bound"
    assert of(*[*gains, *(-value for value in gains)] * 10).verdict == ""


def test_gains_that_hide_a_rare_harm_are_no_verdict() -> None:
    """A sample as one in four is of questions of which 5% lose 90 points and 45% gain 10."""
    found = of(*[0.1, 0.1, 0.0] * 8)
    assert found.p is not None and found.p < 0.001 and found.signs_p < 0.001 and found.verdict == ""


def test_gains_that_are_all_alike_can_be_told_without_a_bootstrap() -> None:
    found = of(*[0.25] * 60)
    assert found.difference.low is None and found.verdict == "better"


@pytest.mark.parametrize("questions", [5, 24, 120])
def test_up_to_five_questions_that_differ_decide_nothing(questions: int) -> None:
    found = of(*[1.0] * 5, *[0.0] * (questions - 5))
    assert found.undecidable and found.verdict == "" and found.difference.low is None and found.detectable is None
    assert not of(*[1.0] * 6).undecidable and of(*[1.0] * 6).verdict == "better"


def test_a_family_is_corrected_and_named() -> None:
    gains = [0.05, 0.1, 0.15, 0.2, 0.25] * 8
    alone = of(*gains)
    found = corrected([alone, None, of(*[0.1, -0.1] * 20), *[of(*gains)] * 30], "comparisons of a test")
    assert found[1] is None and found[0] is not None and found[2] is not None
    assert str(found[0].family) == "corrected for the 32 comparisons of a test" and str(alone.family) == ""
    assert alone.bounds is not None and found[0].bounds is not None and found[0].bounds.p > 20 * alone.bounds.p
    assert alone.verdict == "better" and found[0].verdict == ""
    assert found[0].signs_p == pytest.approx(min(1, 32 * alone.signs_p))
    assert alone.detectable is not None and found[0].detectable is not None
    assert alone.detectable < found[0].detectable


def test_a_family_of_one_needs_no_correction() -> None:
    [found] = corrected([of(*[0.5, 0.25] * 10)], "comparisons of a test")
    assert found is not None and found.p == of(*[0.5, 0.25] * 10).p and str(found.family) == ""


def test_equivalence_is_shown_within_a_margin_by_enough_questions() -> None:
    small = [0.01, -0.01, 0.0, 0.02, -0.02]
    assert of(*small * 40).within(0.05) and not of(*small * 5).within(0.05)
    family = corrected([of(*small * 40)] * 3000, "comparisons of a test")
    assert family[0] is not None and not family[0].within(0.05)
    assert not of(*small * 40, support=None).within(0.05)
