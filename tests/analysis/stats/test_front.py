"""The Pareto front, against cases that can be seen."""

import numpy as np
import pytest

from analysis.stats.front import front


def of(*rows: tuple[float, float]) -> list[bool]:
    """Which rows of (accuracy, cost) are on the front; two questions that are alike."""
    values, costs = (np.array([[row[place]] * 2 for row in rows]) for place in (0, 1))
    return list(front(values, costs, draws=10)[0])


def test_what_nothing_beats_in_both_is_on_the_front() -> None:
    assert of((0.5, 1), (0.6, 2), (0.4, 3), (0.6, 4)) == [True, True, False, False]
    assert of((0.5, 1), (0.5, 1)) == [True, True], "neither is better in one of the two"
    assert of((0.5, 1), (0.5, 2)) == [True, False]
    assert of((0.5, 1), (0.6, 1)) == [False, True]


def test_the_share_is_how_often_resamples_of_questions_agree() -> None:
    """The second row is on the front where the one question that it alone solves is drawn at least once."""
    values = np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    costs = np.array([[1.0] * 4, [2.0] * 4])
    on, share = front(values, costs)
    assert list(on) == [True, True] and share[0] == 1
    assert share[1] == pytest.approx(1 - 0.75**4, abs=0.02)


def test_means_decide_and_not_single_questions() -> None:
    values = np.array([[1.0, 0.0], [0.0, 0.5]])
    costs = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert list(front(values, costs, draws=10)[0]) == [True, False]
