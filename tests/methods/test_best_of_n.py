"""Best of N: who counts how much."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.engines.base import Sampling
from leap_lab.errors import UserError
from leap_lab.methods.independent import Independent
from tests.doubles import PROMPTS
from tests.methods.scored import END, best_of_n, check, solve

# Means 4 + (digits - 4) / length: of 21 tokens each, 17 of them no digits.
TEXTS = ("5566" + END, "7711" + END, "9999" + END, "5566" + END)
# Lowest windows of 4: 4.0 (no digits), 3 (11 and two others, 2.5: 1 1 < / -> 10 / 4), 4.0, 4.0


@pytest.mark.parametrize(
    ("select", "weights"),
    [
        ("self_certainty", [0, 0, 1, 0]),
        ("tail", [1, 0, 0, 0]),
        ("lowest", [1, 0, 0, 0]),
        ("bottom", [1, 0, 0, 0]),
        ("borda", [3**0.5, 1, 2, 2**0.5]),
    ],
)
def test_the_weights_of_a_group(select, weights):
    """Equal scores rank in the order of the paths."""
    method = best_of_n(select=select)
    paths, engine = solve(method, *TEXTS)
    check(paths, engine, method)
    assert [path.weight for path in paths] == pytest.approx(weights)


@pytest.mark.parametrize(("power", "weights"), [(0, [1, 1, 1, 1]), (1, [3, 1, 4, 2]), (2, [9, 1, 16, 4])])
def test_the_power_of_borda_votes(power, weights):
    paths, _ = solve(best_of_n(select="borda", power=power), *TEXTS)
    assert [path.weight for path in paths] == weights


def test_the_paths_are_independent_ones():
    paths, engine = solve(best_of_n(), *TEXTS)
    alone, plain = solve(Independent(60, 4, Sampling(), PROMPTS), *TEXTS)
    assert [path.segments for path in paths] == [path.segments for path in alone]
    asked = [(request.prompt, request.seed, request.max_tokens) for request in engine.requests]
    assert asked == [(request.prompt, request.seed, request.max_tokens) for request in plain.requests]
    assert {request.top_logprobs for request in engine.requests} == {3}
    assert {request.top_logprobs for request in plain.requests} == {0}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("123456789", max_size=30), min_size=1, max_size=7), st.integers(1, 30), st.floats(0, 4))
def test_whatever_the_settings(texts, budget, power):
    method = best_of_n(select="borda", power=power, max_tokens=budget)
    paths, engine = solve(method, *(text + END for text in texts))
    check(paths, engine, method)
    votes = [(len(texts) - rank) ** power for rank in range(len(texts))]
    assert sorted((path.weight for path in paths), reverse=True) == pytest.approx(votes)
    means = [sum(path.confidences) / len(path.confidences) for path in paths]
    by_weight = sorted(paths, key=lambda path: (-path.weight, path.index))
    if power > 0.01:
        ordered = [means[path.index] for path in by_weight]
        assert ordered == pytest.approx(sorted(means, reverse=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"select": "mode"}, "method.select=mode: must be self_certainty or tail or lowest or bottom or borda"),
        ({"power": -1}, "method.power=-1: must be a number from 0 to 100"),
        ({"top_logprobs": 0}, "method.top_logprobs=0: must be an integer >= 1"),
        ({"window": None}, "method.window=null: must be an integer >= 1"),
    ],
)
def test_settings_that_cannot_work(changes, message):
    with pytest.raises(UserError, match=f"^{message}"):
        best_of_n(**changes).check(4, 4096)
