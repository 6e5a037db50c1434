"""Our reading may only ever help: where math-verify alone is right, so are we."""

import pytest

from leap_lab.grading.equality import same
from leap_lab.grading.math_worker import formula
from tests.grading.tables import SUBJECTS, cases

pytest.importorskip("math_verify")


def alone(answer, gold):
    """What math-verify makes of two answers by itself."""
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig(boxed_match_priority=-1)]
    try:
        sides = [
            parse(formula(side), config, extraction_mode="first_match", parsing_timeout=2) for side in (gold, answer)
        ]
        return all(sides) and bool(verify(*sides, timeout_seconds=2))
    except Exception:  # sympy raises whatever it likes
        return False


@pytest.mark.parametrize("subject", SUBJECTS)
def test_where_math_verify_is_right_so_are_we(subject):
    worse = [
        (answer, gold)
        for answer, gold, equal in cases(subject)
        if same(answer, gold) is not equal and alone(answer, gold) is equal
    ]
    assert worse == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_tables_hold_cases_that_math_verify_gets_wrong(subject):
    tried = cases(subject)[::5]
    assert any(alone(answer, gold) is not equal for answer, gold, equal in tried)
