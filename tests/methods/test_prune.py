"""Pruning of beginnings, followed token by token, and its scorers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.engines.base import GREEDY
from leap_lab.errors import UserError
from leap_lab.methods import scorers
from leap_lab.path import Kind
from tests.doubles import who
from tests.methods.doubles import HEAD
from tests.methods.scored import END, Says, check, limits, parts, prune, solve

TEXTS = ("5555aa" + END, "7777aa" + END, "3333aa" + END, "6666aa" + END)


def test_a_group_token_by_token():
    """Four prefixes of four tokens; the two of the highest confidence are finished."""
    method = prune(keep=2)
    paths, engine = solve(method, *TEXTS)
    check(paths, engine, method)
    assert [path.finish for path in paths] == ["stopped", "answered", "stopped", "answered"]
    assert [path.weight for path in paths] == [0, 1, 0, 1]
    assert parts(paths[0]) == [("think", "5555")]
    assert parts(paths[1]) == [("think", "7777aa</think>"), ("final", "\\boxed{x}")]
    assert [limits(engine, index) for index in range(4)] == [[4], [4, 56, 60], [4], [4, 56, 60]]
    rest = len("aa</think>\\boxed{x}")
    assert [path.critical_path for path in paths] == [4, 4 + rest, 4, 4 + rest]
    assert {request.top_logprobs for request in engine.requests} == {20}


@pytest.mark.parametrize("scorer", ["random", "length", "agreement"])
def test_only_confidence_asks_for_log_probabilities(scorer):
    method = prune(scorer=scorer, keep=2)
    paths, engine = solve(method, *TEXTS)
    check(paths, engine, method)
    assert {request.top_logprobs for request in engine.requests} == {0}
    assert [path.finish for path in paths].count("stopped") == 2


def test_length_prefers_fewer_tokens_and_then_fewer_characters():
    """Path 2 closes its thinking in the prefix; the others have as many tokens, and a token is a character."""
    paths, _ = solve(prune(scorer="length", prefix=12, keep=1), "a" * 30 + END, "b" * 30 + END, "cc" + END)
    assert [path.finish for path in paths] == ["stopped", "stopped", "answered"]
    assert parts(paths[2]) == [("think", "cc</think>"), ("final", "\\boxed{x}")]
    one, two = scorers.length(paths[:2], None)
    assert one == two < scorers.length(paths[2:], None)[0]


def test_agreement_asks_each_path_and_bills_it():
    """Paths 0 and 2 would answer p, path 1 would answer q. What was asked is of no path, and on each one's bill."""

    class Asked(Says):
        def __call__(self, text, request):
            if text.endswith("\\boxed{") and request.sampling == GREEDY:
                return "pqp"[who(request)[0]] + "}\n"
            return super().__call__(text, request)

    texts = ("aaaaa" + END, "bbbbb" + END, "ccccc" + END)
    method = prune(scorer="agreement", keep=2)
    paths, engine = solve(method, *texts, script=Asked(*texts))
    check(paths, engine, method)
    assert [path.finish for path in paths] == ["answered", "stopped", "answered"]
    assert [len(path.helpers) for path in paths] == [1, 1, 1]
    asked = [engine.tokens.decode(request.prompt) for request in engine.requests if request.sampling == GREEDY]
    assert asked == [f"{HEAD}{text[:4]}\n</think>\n\n\\boxed{{" for text in texts]
    assert paths[1].spent == 4 and sum(each.sampled for each in paths[1].billed_paths) == 4 + len("q}\n")
    assert paths[1].critical_path == paths[1].helpers[0].critical_path == 4 + len("q}\n")
    assert parts(paths[0])[0] == ("think", "aaaaa</think>"), "the path itself was told nothing"


def test_a_path_that_closed_is_not_closed_again_to_be_asked():
    _, engine = solve(prune(scorer="agreement", prefix=20, keep=1), "a" + END, "bb" + END)
    asked = [engine.tokens.decode(request.prompt) for request in engine.requests if request.sampling == GREEDY]
    assert asked == [f"{HEAD}a</think>\n\n\\boxed{{", f"{HEAD}bb</think>\n\n\\boxed{{"]


def test_chance_chooses_every_path_equally_often_and_the_same_again():
    kept = []
    for question in range(40):
        paths, _ = solve(prune(scorer="random"), *TEXTS)
        for path in paths:
            path.seed += question
        values = scorers.at_random(paths, None)
        kept.append(max(range(4), key=values.__getitem__))
        assert values == scorers.at_random(paths, None)
    assert set(kept) == {0, 1, 2, 3}


def last_first(paths, writer):
    """A scorer of one's own."""
    return [path.index for path in paths]


async def first_first(paths, writer):
    return [-path.index for path in paths]


def nothing(paths, writer):
    return []


def texts_of(paths, writer):
    return ["high" for _ in paths]


@pytest.mark.parametrize(("name", "kept"), [("last_first", 3), ("first_first", 0)])
def test_a_scorer_of_ones_own(name, kept):
    method = prune(scorer=f"{__name__}.{name}")
    method.check(4, 4096)
    paths, _ = solve(method, *TEXTS)
    assert [path.index for path in paths if path.weight] == [kept]


@pytest.mark.parametrize("name", ["nothing", "texts_of"])
def test_a_scorer_that_returns_no_scores_is_named(name):
    with pytest.raises(ValueError, match=rf"method.scorer={__name__}.{name}: must return a number for each of 4 paths"):
        solve(prune(scorer=f"{__name__}.{name}"), *TEXTS)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text("123456789ab", max_size=20), min_size=1, max_size=7),
    st.integers(1, 25),
    st.sampled_from(["confidence", "length", "random", "agreement"]),
    st.data(),
)
def test_whatever_the_settings(texts, prefix, scorer, data):
    keep = data.draw(st.integers(1, len(texts)))
    method = prune(prefix=prefix, keep=keep, scorer=scorer, max_tokens=prefix + data.draw(st.integers(0, 20)))
    method.check(len(texts), 4096)
    paths, engine = solve(method, *(text + END for text in texts))
    check(paths, engine, method)
    kept = [path for path in paths if path.finish != "stopped"]
    assert [path.weight for path in paths] == [float(path in kept) for path in paths]
    assert len(kept) == keep
    assert all(path.count(Kind.THINK) <= prefix for path in paths if path not in kept)
    if scorer == "confidence":
        means = {path.index: sum(path.confidences[:prefix]) / len(path.confidences[:prefix]) for path in paths}
        thought = {path.index: path.count(Kind.THINK) >= prefix for path in paths}
        if all(thought.values()):
            worst = min(means[path.index] for path in kept)
            assert all(means[path.index] <= worst + 1e-9 for path in paths if path not in kept)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep": 5}, "method.keep=5: there are not as many paths; must be <= peers=4"),
        ({"keep": 0}, "method.keep=0: must be an integer >= 1"),
        ({"prefix": 0}, "method.prefix=0: must be an integer >= 1"),
        ({"prefix": 61}, "method.prefix=61: must be <= method.max_tokens=60"),
        ({"scorer": "luck"}, "method.scorer=luck: must be random, length, confidence, agreement or the dotted path"),
        ({"scorer": "no.such.thing"}, r"method.scorer=no.such.thing: cannot be imported \(No module named 'no'\)"),
        ({"scorer": "math.pi"}, "method.scorer=math.pi: is no function"),
        ({"scorer": 3}, "method.scorer=3: must be the name of a scorer"),
        ({"top_logprobs": 0}, "method.top_logprobs=0: must be an integer >= 1"),
    ],
)
def test_settings_that_cannot_work(changes, message):
    with pytest.raises(UserError, match=f"^{message}") as error:
        prune(**changes).check(4, 4096)
    assert "\n" not in str(error.value)
