"""The Mantel-Haenszel odds ratio against one worked out by hand, and its interval against what it claims."""

import numpy as np
import pandas as pd
import pytest

from analysis.stats.odds import mantel_haenszel


def table(strata: dict[tuple[str, int], tuple[int, int, int, int]]) -> pd.DataFrame:
    """By question and turn: exposed with and without the outcome, unexposed with and without."""
    cells = [(True, True), (True, False), (False, True), (False, False)]
    rows = [
        (question, turn, *cell)
        for (question, turn), counts in strata.items()
        for cell, count in zip(cells, counts, strict=True)
        for _ in range(count)
    ]
    return pd.DataFrame(rows, columns=["question_id", "turn", "exposed", "outcome"])


def test_it_is_the_formula_of_mantel_and_haenszel() -> None:
    """(4 * 3 / 10 + 1 * 5 / 8) / (1 * 2 / 10 + 1 * 1 / 8); the third stratum has nobody unexposed and says nothing."""
    found = mantel_haenszel(
        table({("a", 0): (4, 1, 2, 3), ("b", 0): (1, 1, 1, 5), ("b", 1): (3, 2, 0, 0)}), "exposed", "outcome", ["turn"]
    )
    assert found.ratio.value == pytest.approx((4 * 3 / 10 + 5 / 8) / (2 / 10 + 1 / 8))
    assert (found.strata, found.rows, found.ratio.n) == (2, 18, 2)
    assert found.ratio.low is None and "fewer than" in found.ratio.why


def test_strata_take_out_what_questions_differ_in() -> None:
    """Within either question exposure does nothing; the easy one has more of both, so together it seems to help."""
    mixed = table({("easy", 0): (16, 4, 4, 1), ("hard", 0): (1, 4, 4, 16)})
    assert mantel_haenszel(mixed, "exposed", "outcome", ["turn"]).ratio.value == pytest.approx(1)
    assert mantel_haenszel(mixed.assign(question_id="one"), "exposed", "outcome", ["turn"]).ratio.value > 4


def test_without_an_informative_stratum_there_is_no_number() -> None:
    nothing = mantel_haenszel(table({("a", 0): (3, 2, 0, 0)}), "exposed", "outcome", ["turn"])
    assert np.isnan(nothing.ratio.value) and nothing.ratio.low is None and nothing.strata == 0
    assert mantel_haenszel(table({}), "exposed", "outcome", ["turn"]).ratio.why == "nothing to count"


def test_evidence_against_in_one_question_alone_gives_no_interval() -> None:
    """A third of the resamples would have none, and so no ratio."""
    some = {(f"q{index}", 0): (1 + index, 0, 0, 1) for index in range(7)} | {("last", 0): (0, 1, 1, 0)}
    found = mantel_haenszel(table(some), "exposed", "outcome", ["turn"])
    assert np.isfinite(found.ratio.value) and found.ratio.low is None and "fewer than" in found.ratio.why


def test_the_interval_covers_what_it_claims() -> None:
    """Questions differ in their odds and in how often exposure happens, and the two go together; the ratio is 2."""
    rng = np.random.default_rng(5)
    runs, hits, questions, paths = 200, 0, 40, 12
    for _ in range(runs):
        ease = np.repeat(rng.normal(0, 1.5, questions), paths)
        exposed = rng.random(len(ease)) < 1 / (1 + np.exp(-ease))
        outcome = rng.random(len(ease)) < 1 / (1 + np.exp(-ease - np.log(2) * exposed))
        rows = pd.DataFrame({"question_id": np.repeat(np.arange(questions), paths), "turn": 0})
        rows = rows.assign(exposed=exposed, outcome=outcome)
        ratio = mantel_haenszel(rows, "exposed", "outcome", ["turn"], resamples=1000).ratio
        hits += ratio.low <= 2 <= ratio.high
    assert 0.90 <= hits / runs <= 0.99, hits / runs
