"""Ranks with intervals: known orders, ties, what is refused, and what the intervals claim."""

import numpy as np

from analysis.stats.ranks import Rank, ranks


def test_what_is_better_on_every_question_is_first_for_sure() -> None:
    ease = np.linspace(0.2, 0.6, 12)
    found = ranks(np.stack([ease, ease + 0.3, ease + 0.1]))
    assert found == [Rank(3, 3, 3), Rank(1, 1, 1), Rank(2, 2, 2)]


def test_equal_rows_share_a_rank_and_may_have_any_of_their_places() -> None:
    ease = np.linspace(0.2, 0.6, 12)
    found = ranks(np.stack([ease, ease, ease - 0.1]))
    assert found == [Rank(1, 1, 2), Rank(1, 1, 2), Rank(3, 3, 3)]


def test_what_questions_do_not_decide_is_open() -> None:
    rng = np.random.default_rng(1)
    found = ranks(rng.random((4, 20)))
    assert all(rank.low is not None and rank.high is not None and rank.high > rank.low for rank in found)
    assert sorted(rank.place for rank in found) == [1, 2, 3, 4]
    assert all(rank.low <= rank.place <= rank.high for rank in found if rank.low is not None and rank.high is not None)


def test_few_questions_have_ranks_and_no_intervals() -> None:
    found = ranks(np.array([[0.1] * 5, [0.2] * 5, [0.3] * 5]))
    assert [(rank.place, rank.low) for rank in found] == [(3, None), (2, None), (1, None)]


def test_more_rows_are_more_chances_to_be_wrong_and_widen_the_intervals() -> None:
    rng = np.random.default_rng(2)
    values = rng.random((3, 30))
    alone = ranks(values)
    beside = ranks(np.concatenate([values, np.full((20, 30), -1.0)]))[:3]
    widths = [[(rank.high or 0) - (rank.low or 0) for rank in found] for found in (alone, beside)]
    assert all(wide >= narrow for narrow, wide in zip(*widths, strict=True)) and sum(widths[1]) >= sum(widths[0])


def test_all_intervals_hold_together() -> None:
    """Five methods 5 points apart on 30 questions that vary by 20 points; 300 tries, so 92% and more."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        ease = rng.random(30)
        means = 0.05 * np.arange(5)[:, None]
        found = ranks(ease + means + rng.normal(0, 0.2, (5, 30)), resamples=800)
        hits += all(
            rank.low is not None and rank.high is not None and rank.low <= 5 - index <= rank.high
            for index, rank in enumerate(found)
        )
    assert hits / 300 >= 0.92
