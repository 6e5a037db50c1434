"""What paths cost together against every way to draw them, and what a cost buys, and what it does not."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.load import load
from analysis.measures.budget import Budget, bought, expected_maximum, none_beyond, of_groups
from leap_lab.runs.flops import Flops
from leap_lab.runs.ledger import flops_per
from tests.known_runs import write_run


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_the_expected_maximum_is_that_of_every_subset(values: list[int]) -> None:
    found = expected_maximum(np.array(values, float))
    for n in range(1, len(values) + 1):
        assert found[n - 1] == pytest.approx(np.mean([max(drawn) for drawn in combinations(values, n)]))


def test_many_paths_are_no_trouble() -> None:
    found = expected_maximum(np.arange(2000.0))
    assert np.isfinite(none_beyond(2000)).all() and found[-1] == pytest.approx(1999)
    assert found[0] == pytest.approx(999.5) and found[1] == pytest.approx(2001 * 2 / 3 - 1)


def test_sums_grow_with_the_number_of_paths() -> None:
    values = np.array([1.0, 2.0, 6.0])
    assert list(Budget.TOKENS.drawn(values)) == list(Budget.FLOPS.drawn(values)) == [3, 6, 9]
    assert list(Budget.CRITICAL_PATH.drawn(values)) == pytest.approx([3, (2 + 6 + 6) / 3, 6])


@pytest.mark.parametrize(
    ("cost", "paths"), [(10, 1), (15, 1.5), (20, 3), (20.5, 3.25), (21, 3.5), (22, 4), (22 * (1 + 1e-12), 4)]
)
def test_a_cost_buys_paths_between_whole_numbers_by_a_straight_line(cost: float, paths: float) -> None:
    """A third path costs nothing more than two, so whoever can pay for two has three."""
    assert bought([10, 20, 20, 22], cost) == pytest.approx(paths)


@pytest.mark.parametrize("cost", [9.9, 22.1, 1e9])
def test_nothing_is_bought_beyond_what_was_measured(cost: float) -> None:
    with pytest.raises(ValueError, match="outside of what was measured, 10 to 22"):
        bought([10, 20, 20, 22], cost)


def test_operations_are_those_that_the_run_knows(tmp_path: Path) -> None:
    per = {"computed": 2, "sampled": 3, "attended": 5}
    known, unknown = (write_run(tmp_path, {"q": [["1"]]}, seed=seed, flops_per=p) for seed, p in ((0, per), (1, None)))
    assert flops_per(known) == Flops(2, 3, 5) and flops_per(unknown) is None
    rows = load([known, unknown])
    assert rows["flops"].iloc[0] == 2 * (50 + 100) + 3 * 101 and np.isnan(rows["flops"].iloc[1])
    assert "flops" not in load([known], ["question_id", "answer"])


def test_the_operations_of_a_group_are_unknown_where_those_of_one_of_its_paths_are() -> None:
    rows = pd.DataFrame({"question_id": ["p", "p", "q", "q"], "group": 0, "tokens_think": 5, "tokens_summary": 1})
    found = of_groups(rows.assign(critical_path=6, flops=[1.0, np.nan, 2.0, 3.0]))
    assert np.isnan(found["flops"].iloc[0]) and found["flops"].iloc[1] == 5
    assert list(found["tokens"]) == [12, 12]


def test_a_run_whose_engine_reports_no_prompts_has_no_operations(tmp_path: Path) -> None:
    per = {"computed": 2, "sampled": 3, "attended": 5}
    rows = load([write_run(tmp_path, {"q": [["1", "2"]]}, flops_per=per, reports=False)])
    assert rows["flops"].isna().all() and rows["tokens_prefilled"].isna().all()
    assert list(of_groups(rows)["tokens"]) == [200] and of_groups(rows)["flops"].isna().all()
