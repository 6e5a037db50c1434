"""short-m@k followed token by token: who is done, who is stopped, and what a round costs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.errors import UserError
from leap_lab.path import Kind
from tests.methods.scored import check, limits, parts, short, solve

END = "</think>\\boxed{x}"


def test_a_group_token_by_token():
    """Thinking of 18, 12, 9 and 13 tokens in rounds of 5: path 2 is done after the second, path 1 after the third, and
    path 3 would be then too, but is longer."""
    texts = ("a" * 10 + END, "bbbb" + END, "c" + END, "ddddd" + END)
    method = short(m=2)
    paths, engine = solve(method, *texts)
    check(paths, engine, method)
    assert [path.finish for path in paths] == ["stopped", "answered", "answered", "stopped"]
    assert [path.weight for path in paths] == [0, 1.125, 1.25, 0]
    assert parts(paths[0]) == [("think", "a" * 10 + "</thi")], "three rounds"
    assert parts(paths[1]) == [("think", "bbbb</think>"), ("final", "\\boxed{x}")]
    assert parts(paths[3]) == [("think", "ddddd</think>")], "it closed, too late"
    assert [len(limits(engine, index)) for index in range(4)] == [3, 4, 3, 3]
    assert [path.spent for path in paths] == [15, 15, 10, 15], "what was sampled behind the mark is charged"
    assert [path.tokens_cut for path in paths] == [0, 3, 1, 2]
    answer = len("\\boxed{x}")
    assert [path.critical_path for path in paths] == [15, 15 + answer, 10 + answer, 15]


def test_of_equally_long_paths_the_first_ones_count():
    paths, _ = solve(short(m=2), *["ab" + END] * 4)
    assert [path.finish for path in paths] == ["answered", "answered", "stopped", "stopped"]
    assert paths[0].weight > paths[1].weight > 1


def test_weights_decide_between_equal_counts_alone():
    """However many paths vote, no number of fractions makes up for a vote; of as many votes the shortest path's win."""
    paths, _ = solve(short(m=24), *["a" * count + END for count in range(24)])
    found = [path.weight for path in paths]
    assert sum(found) - len(found) < 1 and min(found) >= 1
    assert found == sorted(found, reverse=True)
    for votes in range(1, 13):
        assert sum(found[:votes]) < (1 - 1e-9) * sum(found[-votes - 1 :])
        assert found[0] + sum(found[-votes:]) > (1 + 1e-9) * sum(found[1 : votes + 2])
    assert found[22] > found[23] * (1 + 1e-9)


def test_paths_without_a_budget_left_are_done_after_those_that_closed():
    """All reach the end of the budget in the third round; path 2 closes there."""
    paths, engine = solve(short(m=2, max_tokens=15), "a" * 99, "b" * 99, "ccccccc" + END, "d" * 99)
    check(paths, engine, short(max_tokens=15))
    assert [path.finish for path in paths] == ["forced", "stopped", "answered", "stopped"]
    assert paths[2].weight > paths[0].weight > 1
    assert paths[0].final.startswith("\n\n\\boxed{y}")


def test_all_of_them_may_vote():
    paths, _ = solve(short(m=3), *["a" * count + END for count in (9, 0, 4)])
    assert [path.finish for path in paths] == ["answered"] * 3
    assert sorted(range(3), key=lambda index: -paths[index].weight) == [1, 2, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=7), st.integers(1, 20), st.integers(1, 50), st.data())
def test_whatever_the_settings(lengths, chunk, budget, data):
    m = data.draw(st.integers(1, len(lengths)))
    method = short(m=m, chunk=chunk, max_tokens=budget)
    paths, engine = solve(method, *("a" * length + END for length in lengths))
    check(paths, engine, method)
    done = [path for path in paths if path.finish != "stopped"]
    assert len(done) == m
    thought = {path.index: path.count(Kind.THINK) for path in paths}
    whole = [min(length + len("</think>"), budget) for length in lengths]
    assert sorted(thought[path.index] for path in done) == sorted(whole)[:m]
    rounds = -(-max(whole[path.index] for path in done) // chunk)
    assert all(path.spent <= rounds * chunk for path in paths), "nobody begins another round"
    if m == len(lengths):
        assert [thought[index] for index in range(m)] == whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"m": 5}, "method.m=5: there are not as many paths; must be <= peers=4"),
        ({"m": 0}, "method.m=0: must be an integer >= 1"),
        ({"chunk": 0}, "method.chunk=0: must be an integer >= 1"),
    ],
)
def test_settings_that_cannot_work(changes, message):
    with pytest.raises(UserError, match=f"^{message}"):
        short(**changes).check(4, 4096)
