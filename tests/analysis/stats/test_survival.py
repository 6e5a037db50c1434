"""Kaplan-Meier against curves worked out by hand, and its interval against what it claims."""

import numpy as np
import pytest

from analysis.stats.survival import survival


def test_the_curve_is_that_of_kaplan_and_meier() -> None:
    """At risk 10, 7, 3; events 2, 3, 1: 0.8, then 0.8 * 4/7, then that * 2/3."""
    times = [1, 1, 1, 2, 2, 2, 2, 3, 3, 3]
    happened = [True, True, False, True, True, True, False, True, False, False]
    steps = survival(times, happened, ["q"] * 10)
    assert [(step.time, step.at_risk, step.events) for step in steps] == [(1, 10, 2), (2, 7, 3), (3, 3, 1)]
    assert [step.surviving.value for step in steps] == pytest.approx([0.8, 0.8 * 4 / 7, 0.8 * 4 / 7 * 2 / 3])
    assert all(step.surviving.low is None and "at risk" in step.surviving.why for step in steps)


def test_who_is_censored_at_once_says_nothing_and_nobody_gives_no_curve() -> None:
    known = survival([1, 2], [True, True], ["a", "b"])
    [start, *steps] = survival([0, 0, 1, 2], [False, False, True, True], ["a", "b", "a", "b"])
    assert start.surviving.value == 1 and start.events == 0
    assert [step.surviving.value for step in steps] == [step.surviving.value for step in known] == [0.5, 0]
    assert survival([], [], []) == []


def test_without_an_event_the_curve_stays_and_claims_no_certainty() -> None:
    [step] = survival([1] * 20, [False] * 20, list(range(20)))
    assert step.surviving.value == 1 and step.surviving.low is None and "differ" in step.surviving.why


def test_the_interval_widens_with_what_paths_of_a_question_share() -> None:
    """Half of the questions recover at once with all their paths: 160 paths tell no more than 20 questions."""
    half = [index // 8 % 2 == 0 for index in range(160)]
    together = survival([1] * 160, half, [index // 8 for index in range(160)])[0].surviving
    apart = survival([1] * 160, half, list(range(160)))[0].surviving
    assert together.value == apart.value == 0.5
    wider = (together.high - together.low) / (apart.high - apart.low)
    assert wider == pytest.approx(1.1 * 8**0.5, rel=0.15), "and a tenth by Student's t for 20 questions"
    assert (together.low + together.high) / 2 == pytest.approx(0.5, abs=0.02)


def test_the_interval_covers_what_it_claims() -> None:
    """Questions differ in how readily their paths recover and in how many paths are wrong; paths leave at random."""
    rng = np.random.default_rng(4)
    runs, hits = 200, np.zeros(3)

    def sample(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ease = rng.beta(1, 2, count)
        question = np.repeat(np.arange(count), 1 + rng.binomial(11, 1 - ease))
        waits, leaves = rng.geometric(ease[question]), rng.integers(1, 6, len(question))
        return np.minimum(waits, leaves), waits <= leaves, question

    times, happened, _ = sample(400_000)
    truth = [step.surviving.value for step in survival(times, happened, np.zeros(len(times), int))[:3]]
    for _ in range(runs):
        steps = survival(*sample(30), resamples=1000)
        hits += [s.surviving.low <= true <= s.surviving.high for s, true in zip(steps[:3], truth, strict=True)]
    assert (hits / runs >= 0.90).all() and (hits / runs <= 0.99).all(), hits / runs
