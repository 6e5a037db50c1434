"""Confidence against values computed by hand, and against numpy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.confidence import Confidence, mean, of_tokens, percentile, self_certainty, windows

VALUES = st.lists(st.floats(0, 50), min_size=1, max_size=60)


def test_the_confidence_of_a_token_is_minus_the_mean_of_its_log_probabilities():
    assert of_tokens([[-0.5, -1.5, -4.0], [0.0, -8.0, -10.0]]) == [2.0, 6.0]


def test_the_measures_by_hand():
    """Windows of two over 4 2 1 3 6: 3, 1.5, 2, 4.5."""
    found = Confidence.of([4, 2, 1, 3, 6], 2)
    assert windows([4, 2, 1, 3, 6], 2) == [3, 1.5, 2, 4.5]
    assert found == Confidence(mean=16 / 5, tail=4.5, lowest=1.5, bottom=1.5)


def test_the_lowest_tenth_is_rounded_down():
    """30 windows of one token: the lowest three; 29: the lowest two."""
    assert Confidence.of(list(range(1, 31)), 1).bottom == 2
    assert Confidence.of(list(range(1, 30)), 1).bottom == 1.5


@pytest.mark.parametrize("window", [3, 4, 2048])
def test_a_path_that_is_no_longer_than_a_window_has_one(window):
    assert Confidence.of([1, 2, 6], window) == Confidence(3, 3, 3, 3)


def test_nothing_has_no_confidence():
    with pytest.raises(ValueError, match="no log-probabilities"):
        Confidence.of([], 4)


@given(VALUES, st.integers(1, 70))
def test_windows_are_the_means_of_all_stretches_of_their_length(values, window):
    kept = min(window, len(values))
    slow = [mean(values[start : start + kept]) for start in range(len(values) - kept + 1)]
    assert windows(values, window) == pytest.approx(slow, abs=1e-9)
    found = Confidence.of(values, window)
    assert found.lowest == pytest.approx(min(slow), abs=1e-9)
    assert found.tail == pytest.approx(slow[-1], abs=1e-9)
    assert found.lowest - 1e-9 <= found.bottom <= max(slow) + 1e-9


@given(VALUES, st.floats(0, 100))
def test_a_percentile_is_that_of_numpy(values, percent):
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)), abs=1e-9)


def test_percentiles_by_hand():
    assert percentile([4, 3], 90) == pytest.approx(3.9)
    assert percentile([1, 2, 3, 4, 5], 10) == pytest.approx(1.4)
    assert [percentile([7], percent) for percent in (0, 50, 100)] == [7, 7, 7]


@pytest.mark.parametrize("size", [2, 5])
def test_self_certainty_of_a_whole_vocabulary_is_the_divergence_from_uniform(size):
    """Where k is the vocabulary, nothing is approximated; a uniform prediction has none."""
    told = [math.log((rank + 1) / sum(range(1, size + 1))) for rank in range(size)]
    exact = -sum(math.log(size * math.exp(each)) for each in told) / size
    assert self_certainty(*of_tokens([told]), size) == pytest.approx(exact)
    assert self_certainty(*of_tokens([[-math.log(size)] * size]), size) == pytest.approx(0)
