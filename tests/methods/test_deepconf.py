"""DeepConf followed token by token (a token is a character, and a digit its own confidence)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.confidence import Confidence, windows
from leap_lab.errors import UserError
from tests.doubles import who
from tests.methods.scored import END, check, deepconf, limits, parts, sampled, solve


def test_a_group_token_by_token():
    """The warm-up's lowest windows are 4 and 3, so with eta=50 the bar is 3.5. Path 2 falls below it with its seventh
    token, in the third stretch of three; path 3 never does, and closes in the middle of a stretch."""
    texts = ("5555555" + END, "3333555" + END, "5553333555555" + END, "44444" + END)
    method = deepconf(eta=50)
    paths, engine = solve(method, *texts)
    check(paths, engine, method)
    assert [path.finish for path in paths] == ["answered", "answered", "stopped", "answered"]
    assert [path.weight for path in paths] == [4.0, 0.0, 0.0, 4.0]
    assert parts(paths[2]) == [("think", "555333355")], "two tokens of overshoot"
    assert (paths[2].spent, limits(engine, 2)) == (9, [3, 3, 3])
    assert parts(paths[3]) == [("think", "44444</think>"), ("final", "\\boxed{x}")]
    assert limits(engine, 3)[:5] == [3] * 5 and paths[3].tokens_cut == 2, "15 tokens, of which 13 are up to the mark"
    assert limits(engine, 0)[0] == method.max_tokens, "the warm-up is written at once"
    assert parts(paths[1]) == [("think", "3333555</think>"), ("final", "\\boxed{x}")]
    waited = len("5555555</think>\\boxed{x}")
    assert [path.critical_path for path in paths] == [waited, waited, waited + 9, waited + 15 + len("\\boxed{x}")]
    first = [who(request)[0] < 2 for request in engine.requests]
    assert first == sorted(first, reverse=True), "the bar is known before any other path begins"


def test_the_warm_up_is_what_independent_paths_are():
    paths, engine = solve(deepconf(), *["5555" + END] * 4)
    alone, plain = solve(deepconf(warmup=3), *["5555" + END] * 4)
    assert [request.seed for request in engine.requests[:4]] == [
        request.seed for request in plain.requests if who(request)[0] < 2
    ]
    assert [path.segments for path in paths] == [path.segments for path in alone]


@pytest.mark.parametrize(
    ("eta", "bar"), [("low", 4.25 + 0.7 * 0.25), (10, 4.25 + 0.7 * 0.25), ("high", 2 + 0.3), (90.0, 2 + 0.3)]
)
def test_eta_is_the_share_of_the_warm_up_above_the_bar(eta, bar):
    """Eight tokens of thinking, then a forced answer of three tokens with 4. So the lowest windows of the warm-up are
    2, 3, (5 + 4 + 4 + 4) / 4 and (6 + 4 + 4 + 4) / 4."""
    method = deepconf(eta=eta, warmup=4, max_tokens=8)
    paths, engine = solve(method, *(str(digit) * 9 for digit in (2, 3, 5, 6, 3, 4, 5, 6)))
    check(paths, engine, method)
    assert [path.finish == "stopped" for path in paths[4:]] == [digit < bar for digit in (3, 4, 5, 6)]
    lowest = [2, 3, 4.25, 4.5, 3, 4, 4.25, 4.5]
    assert [path.weight for path in paths] == [each if each >= bar else 0 for each in lowest]


def test_no_path_ends_before_its_first_window_is_full():
    """A path below the bar that closes before that answers, and its answer does not count."""
    paths, _ = solve(deepconf(eta=50, window=20), "6" * 30 + END, "6" * 30 + END, "111" + END, "1" * 30 + END)
    assert [path.finish for path in paths] == ["answered", "answered", "answered", "stopped"]
    assert paths[2].weight == 0 and paths[3].spent == 21, "seven stretches of three"


def test_a_path_that_closes_in_the_stretch_in_which_it_fell_is_ended():
    paths, _ = solve(deepconf(eta=50, chunk=50), "6" * 9 + END, "6" * 9 + END, "1111" + END)
    assert (paths[2].finish, parts(paths[2])) == ("stopped", [("think", "1111</think>")])


DIGITS = st.text("123456789", min_size=0, max_size=25)


@settings(max_examples=60, deadline=None)
@given(st.lists(DIGITS, min_size=2, max_size=6), st.integers(1, 9), st.integers(1, 7), st.floats(0, 100), st.data())
def test_whatever_the_settings(texts, window, chunk, eta, data):
    warmup = data.draw(st.integers(1, len(texts) - 1))
    method = deepconf(window=window, chunk=chunk, eta=eta, warmup=warmup, max_tokens=data.draw(st.integers(1, 40)))
    paths, engine = solve(method, *(text + END for text in texts))
    check(paths, engine, method)
    bar = method._bar(paths[:warmup])
    for path in paths:
        lowest = Confidence.of(path.confidences, window).lowest
        assert path.weight == (lowest if path.finish != "stopped" and lowest >= bar else 0)
        fell = len(path.confidences) >= window and lowest < bar
        assert path.finish != "stopped" or fell
        if path.finish == "stopped":
            earlier = path.confidences[: sum(sampled(engine, path.index)[:-1])]
            assert len(earlier) < window or min(windows(earlier, window)) >= bar, "not later than by a stretch"
    assert any(path.weight for path in paths[:warmup])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warmup": 4}, "method.warmup=4: no path is left to end; must be < peers=4"),
        ({"warmup": 0}, "method.warmup=0: must be an integer >= 1"),
        ({"window": 0}, "method.window=0: must be an integer >= 1"),
        ({"chunk": 1.5}, "method.chunk=1.5: must be an integer >= 1"),
        ({"top_logprobs": 0}, "method.top_logprobs=0: must be an integer >= 1"),
        ({"eta": "medium"}, "method.eta=medium: must be low, high or a number from 0 to 100"),
        ({"eta": 101}, "method.eta=101: must be low, high or a number from 0 to 100"),
        ({"eta": True}, "method.eta=True: must be low, high or a number"),
    ],
)
def test_settings_that_cannot_work(changes, message):
    with pytest.raises(UserError, match=f"^{message}") as error:
        deepconf(**changes).check(4, 4096)
    assert "\n" not in str(error.value)
