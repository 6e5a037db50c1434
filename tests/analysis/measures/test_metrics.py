"""The field's metrics against counts done by hand or by brute force."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.metrics import metrics, pass_at_k, per_group, support
from analysis.measures.votes import decision, majority, named


def paths(
    answers: Sequence[str | None], gold: str = "1", question: str = "q", group: int = 0, **columns: Any
) -> pd.DataFrame:
    """A group of paths, each right when it says `gold`."""
    defaults = {"run_id": "r", "finish": "answered", "tokens_think": 100, "tokens_summary": 0, "tokens_comment": 0}
    defaults |= {"tokens_prefilled": 0, "tokens_cached": 0, "critical_path": 0, "blocks": 0, "aha": 0} | columns
    given = {"question_id": question, "group": group, "answer": answers, "correct": [each == gold for each in answers]}
    return pd.DataFrame({**given, "path": range(len(answers))}).assign(**defaults)


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(n: int, data: st.DataObject) -> None:
    right, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    draws = list(combinations(range(n), k))
    assert pass_at_k(n, right, k) == pytest.approx(sum(min(draw) < right for draw in draws) / len(draws))


def test_pass_at_k_is_stable_for_many_responses() -> None:
    assert pass_at_k(4096, 1, 2048) == pytest.approx(0.5)
    assert 0 < pass_at_k(10_000, 1, 1) == pytest.approx(1e-4)


@pytest.mark.parametrize(("n", "right", "k"), [(4, 2, 5), (4, 2, 0), (4, 5, 1), (0, 0, 1)])
def test_pass_at_k_refuses_what_cannot_be(n: int, right: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass@k needs"):
        pass_at_k(n, right, k)


@pytest.mark.parametrize(
    ("answers", "vote"),
    [
        (["1", "1", "2"], 1.0),
        (["1", "2", "2"], 0.0),
        (["1", "1", "2", "2"], 0.5),
        (["1", "2", "3"], 1 / 3),
        (["1", None, None, None], 1.0),
        (["2", None, None, None], 0.0),
        ([None, None], 0.0),
        (["1", "1", "7", " 007", "+7"], 0.0),
        (["1", "1", "1,000", "1000", "$1000$"], 0.0),
        (["1", "1", "7", "7.5", "-7"], 1.0),
    ],
)
def test_the_majority_votes_and_ties_count_by_their_share(answers: list[str | None], vote: float) -> None:
    group = paths(answers)
    assert majority(list(named(group)), list(group["correct"])) == pytest.approx(vote)
    assert metrics(group)[f"cons@{len(answers)}"]["value"] == pytest.approx(vote)


def test_right_answers_that_are_equal_vote_together_however_written() -> None:
    group = paths(["1/2", "0.5", r"\frac12", "3", "3"]).assign(correct=[True, True, True, False, False])
    assert metrics(group.assign(cluster=[0, 0, 0, 1, 1]))["cons@5"]["value"] == 1.0


@pytest.mark.parametrize(
    ("answers", "lengths", "vote"),
    [
        (["1", "1", "2", "2"], [10, 20, 40, 10], 1.0),
        (["1", "1", "2", "2"], [40, 10, 10, 20], 0.0),
        (["1", "1", "2", "2"], [10, 20, 20, 10], 0.5),
        (["1", "2", "2"], [1, 100, 100], 0.0),
    ],
)
def test_shorter_answers_break_ties_and_nothing_else(answers: list[str], lengths: list[float], vote: float) -> None:
    assert majority(answers, [answer == "1" for answer in answers], lengths) == vote


def test_votes_are_of_a_group_then_averaged_over_groups_then_questions() -> None:
    groups = [
        paths(["1", "1", "2"], group=0),
        paths(["2", "2", "1"], group=1),
        paths(["1", "1", "1"], question="p"),
    ]
    found = metrics(pd.concat(groups))
    assert found["cons@3"]["value"] == pytest.approx((0.5 + 1) / 2)  # pooled, question q would be a tie of 3 to 3
    assert found["pass@1"]["value"] == pytest.approx((0.5 + 1) / 2)
    assert found["pass@2"]["value"] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
    assert {entry["n"] for entry in found.values()} == {2}


def test_tokens_and_shares_are_means_per_path() -> None:
    group = paths(
        ["1", "1", None, "2"], tokens_think=[100, 200, 300, 400], tokens_summary=10, tokens_comment=[0, 0, 40, 0]
    )
    table = per_group(group.assign(finish=["answered", "answered", "forced", "context_full"]))
    row = table.iloc[0]
    assert (row["tokens_own"], row["tokens_received"], row["tokens_with_received"]) == (260, 10, 270)
    assert (row["forced"], row["unanswered"]) == (0.5, 0.25)


def test_pass_at_k_stops_at_the_size_of_the_group() -> None:
    assert [name for name in metrics(paths(["1"] * 5)) if name.startswith("pass@")] == ["pass@1", "pass@2", "pass@4"]


def test_one_question_has_values_without_intervals() -> None:
    found = metrics(paths(["1", "2"]))
    assert found["pass@1"] == {"value": 0.5, "low": None, "high": None, "n": 1}


def test_runs_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="of one run, not of 2"):
        metrics(pd.concat([paths(["1"]), paths(["1"]).assign(run_id="s")]))


def test_reflections_are_counts_and_not_shares() -> None:
    table = per_group(paths(["1", "2"]).assign(aha=[3, 6]))
    assert table.iloc[0]["aha"] == 4.5 and support("aha") is None and support("pass@1") == (0, 1)


def test_prompts_that_the_engine_does_not_report_are_no_metric() -> None:
    """Not even where some paths have them: a mean over these would be of other paths than all else."""
    whole = paths(["1", "2"], tokens_prefilled=[10, 20])
    assert metrics(whole)["tokens_prefilled"]["value"] == 15
    partly = metrics(paths(["1", "2"], tokens_prefilled=[10, None], tokens_cached=[None, None]))
    assert set(metrics(whole)) - set(partly) == {"tokens_prefilled", "tokens_cached"}
    assert partly["tokens_own"]["value"] == 100


@pytest.mark.parametrize(
    ("answers", "weights", "right"),
    [
        (["1", "2", "2"], [None, None, None], 0.0),
        (["1", "2", "2"], [3, 1, 1], 1.0),
        (["1", "2", "2"], [2, 1, 1], 0.5),
        (["1", "2", "2"], [2, None, None], 0.5),
        (["1", "2", "2"], [1, 0, 0], 1.0),
        (["1", "2", "2"], [0, 0, 1], 0.0),
        (["1", "2", "2"], [0, 0, 0], 0.0),
        ([None, "2", "1"], [9, 1, 0], 0.0),
        ([None, "1"], [1, 0], 0.0),
        (["1", "2", "2", "2"], [0.3, 0.1, 0.1, 0.1], 0.5),
        (["1"], [None], 1.0),
        (["2"], [None], 0.0),
    ],
)
def test_the_decision_counts_answers_by_their_weight(
    answers: list[str | None], weights: list[float | None], right: float
) -> None:
    """A missing weight is 1, none at all is no vote, and sums that are equal but for rounding are equal."""
    group = paths(answers, weight=pd.Series(weights, dtype=float))
    assert metrics(group)["final"]["value"] == pytest.approx(right)
    assert metrics(group)[f"cons@{len(answers)}"]["value"] == metrics(paths(answers))[f"cons@{len(answers)}"]["value"]


@given(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=9), st.floats(0.1, 10))
def test_without_weights_or_with_equal_ones_the_decision_is_the_majority(
    answers: list[str | None], weight: float
) -> None:
    right = [answer == "1" for answer in answers]
    vote = pytest.approx(majority(answers, right))
    assert decision(answers, right, [float("nan")] * len(answers)) == vote
    assert decision(answers, right, [weight] * len(answers)) == vote


def test_what_a_group_samples_is_the_sum_over_its_paths() -> None:
    table = per_group(paths(["1", "2", "2"], tokens_think=[100, 200, 300], tokens_summary=10))
    assert table.iloc[0]["tokens_group"] == 630 and support("tokens_group") is None and support("final") == (0, 1)
