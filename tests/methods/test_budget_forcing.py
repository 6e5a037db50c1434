"""Budget forcing followed token by token: what is cut, what is written instead, and when a path is let go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.engines.chat import Chat
from leap_lab.engines.scripted import Characters
from leap_lab.errors import UserError
from leap_lab.path import Kind
from tests.methods.doubles import HEAD
from tests.methods.scored import budget_forcing, check, parts, solve

WAIT = "\n\nWAIT"


def thinks(*thoughts):
    """A script that thinks these one after the other, each until it is told to wait, and then closes at once."""

    def script(text, request):
        if text.endswith("\\boxed{"):
            return "y}\n"
        if text.endswith("</think>"):
            return "\\boxed{x}"
        told = text.count("WAIT")
        return (thoughts[told] if told < len(thoughts) else "") + "</think>\\boxed{x}"

    return script


def test_a_group_token_by_token():
    """Two thoughts of 10 tokens close too early, the third is cut by the budget of 40."""
    method = budget_forcing(max_tokens=40)
    paths, engine = solve(method, "", script=thinks("a" * 10, "b" * 10, "c" * 10))
    check(paths, engine, method)
    (path,) = paths
    assert parts(path) == [
        ("think", "a" * 10),
        ("trigger", WAIT),
        ("think", "b" * 10),
        ("trigger", WAIT),
        ("think", "c" * 4),
        ("trigger", "\n</think>"),
        ("trigger", "\n\n\\boxed{"),
        ("final", "y}\n"),
    ]
    assert (path.finish, path.spent, path.tokens_cut) == ("forced", 40, 16)
    assert [request.max_tokens for request in engine.requests] == [40, 22, 4, 4]
    sent = [engine.tokens.decode(request.prompt) for request in engine.requests]
    assert sent[1] == f"{HEAD}{'a' * 10}{WAIT}"
    assert path.critical_path == 40 + len("y}\n")
    assert path.forced == len("y}\n")


def test_so_many_waits_and_then_it_answers():
    method = budget_forcing(waits=1)
    paths, engine = solve(method, "", script=thinks("aaa", "bbb", "ccc"))
    check(paths, engine, method)
    answer = [("think", "bbb</think>"), ("final", "\\boxed{x}")]
    assert parts(paths[0]) == [("think", "aaa"), ("trigger", WAIT), *answer]
    assert paths[0].finish == "answered"
    none, _ = solve(budget_forcing(waits=0), "", script=thinks("aaa"))
    assert parts(none[0]) == [("think", "aaa</think>"), ("final", "\\boxed{x}")]


def test_a_path_that_will_not_think_is_let_go():
    """It closes at once three times in a row: two waits are written for nothing."""
    paths, engine = solve(budget_forcing(max_tokens=1000), "", script=thinks("aaa"))
    check(paths, engine, budget_forcing(max_tokens=1000))
    assert parts(paths[0]) == [
        ("think", "aaa"),
        *[("trigger", WAIT)] * 3,
        ("think", "</think>"),
        ("final", "\\boxed{x}"),
    ]
    assert paths[0].finish == "answered" and paths[0].tokens_cut == 3 * len("</think>")


def test_a_paragraph_is_not_ended_twice():
    paths, _ = solve(budget_forcing(waits=1), "", script=thinks("aaa\n\n", "b"))
    assert parts(paths[0])[:2] == [("think", "aaa\n\n"), ("trigger", "WAIT")]


def test_a_model_that_does_not_think_goes_on_with_its_message():
    def script(text, request):
        return "y}\n" if text.endswith("\\boxed{") else "so \\boxed{x}."

    tokens = Characters(Chat("none", "", "", ""))
    paths, engine = solve(budget_forcing(waits=2), "", script=script, tokens=tokens)
    check(paths, engine, budget_forcing())
    assert [kind for kind, _ in parts(paths[0])] == ["think", "trigger", "think", "trigger", "think"]
    assert paths[0].finish == "answered" and not paths[0].tokens_cut


class Marked(Characters):
    """A model whose closing mark is one token."""

    close_id = 0x1F534

    def __init__(self):
        super().__init__(Chat("open", "", chr(self.close_id), "\n" + chr(self.close_id)))


def test_a_mark_of_one_token_is_cut_as_one():
    mark = chr(Marked.close_id)

    def script(text, request):
        return "y}\n" if text.endswith("\\boxed{") else "\\boxed{x}" if text.endswith(mark) else f"abc{mark}"

    paths, engine = solve(budget_forcing(waits=1), "", script=script, tokens=Marked())
    check(paths, engine, budget_forcing())
    assert parts(paths[0])[:3] == [("think", "abc"), ("trigger", WAIT), ("think", f"abc{mark}")]
    assert paths[0].tokens_cut == 1


@pytest.mark.parametrize("room", range(30, 120, 3))
def test_where_the_context_ends_the_path_answers(room):
    method = budget_forcing(max_tokens=500, answer_tokens=4)
    paths, engine = solve(method, "", script=thinks(*["abcdef"] * 99), max_model_len=len(HEAD) + room)
    check(paths, engine, method)
    assert len(paths[0]) <= len(HEAD) + room
    assert paths[0].finish in ("answered", "forced", "context_full")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 15), max_size=8), st.integers(1, 90), st.none() | st.integers(0, 5), st.integers(1, 4))
def test_whatever_the_settings(lengths, budget, waits, peers):
    method = budget_forcing(max_tokens=budget, waits=waits)
    paths, engine = solve(method, *[""] * peers, script=thinks(*("a" * length for length in lengths)))
    check(paths, engine, method)
    for path in paths:
        written = sum(segment.kind is Kind.TRIGGER and segment.text.endswith("WAIT") for segment in path.segments)
        assert waits is None or written <= waits
        assert path.finish == "answered" or path.spent == budget
        assert path.weight is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wait": ""}, "method.wait=: must be the words that make a path think on"),
        ({"waits": -1}, "method.waits=-1: must be an integer >= 0 or null"),
    ],
)
def test_settings_that_cannot_work(changes, message):
    with pytest.raises(UserError, match=f"^{message}"):
        budget_forcing(**changes).check(4, 4096)
