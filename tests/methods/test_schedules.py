"""Novelty against values worked out by hand, and what follows each phase."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.errors import UserError
from leap_lab.methods.exchange.schedules import EveryBlock, Novelty, check_novelty
from leap_lab.routing import AllPeers
from tests.doubles import leap, who
from tests.methods.doubles import kinds, solve
from tests.methods.grid import BOARD


def test_phases_by_hand():
    """Gains of 6, 6, 6, then 2, 0, 0, 1, 0, 0, 0: sums of three are 18 at first, then 14, 8, 2, 1, 1, 1, 0."""
    novelty = Novelty(start=0.45, stop=0.1)
    phases, left = [], []
    for new in (6, 6, 6, 2, 0, 0, 1, 0, 0, 0):
        phases.append(novelty.after(new, 64))
        left.append(round(novelty.left * 18))
    assert left[3:] == [14, 8, 2, 1, 1, 1, 0]
    assert phases == ["probe"] * 4 + ["broadcast"] * 2 + ["finish"] * 4


def test_a_block_takes_one_step():
    novelty = Novelty(0.4, 0.1)
    assert [novelty.after(new, 10) for new in (5, 5, 5, 0, 0, 0, 9)] == ["probe"] * 4 + ["broadcast", "finish"] + [
        "finish"
    ]


def test_the_bounds_themselves_end_nothing():
    novelty = Novelty(0.5, 0.5)
    assert [novelty.after(new, 10) for new in (2, 2, 2, 1, 0)] == ["probe"] * 5
    assert novelty.left == 0.5
    assert [Novelty(0.5, 0.1).after(new, 10) for new in (2,) * 4] == ["probe"] * 4


def test_where_nothing_new_ever_comes_there_is_one_broadcast():
    novelty = Novelty(0.4, 0.1)
    assert [novelty.after(0, 10) for _ in range(5)] == ["probe"] * 3 + ["broadcast", "finish"]


@given(st.lists(st.integers(0, 9), max_size=12), st.floats(0.01, 1), st.floats(0, 1), st.integers(1, 99))
def test_phases_only_go_on_and_depend_on_no_interval(gains, start, stop, interval):
    order = ["probe", "broadcast", "finish"]
    one, other = Novelty(start, min(start, stop)), Novelty(start, min(start, stop))
    phases = [one.after(new, 64) for new in gains]
    steps = [order.index(phase) for phase in phases]
    assert steps[:3] == [0] * len(steps[:3]) and all(0 <= after - before <= 1 for before, after in pairwise(steps))
    assert [other.after(new, 64) for new in gains] == phases
    assert EveryBlock().after(0, interval) == "broadcast"


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (0, 0, "method.novelty_start=0: must be a number > 0 and <= 1"),
        (1.5, 0, "method.novelty_start=1.5: must be a number > 0 and <= 1"),
        (0.5, -1, "method.novelty_stop=-1: must be a number >= 0 and <= 1"),
        (0.3, 0.4, "method.novelty_stop=0.4: must be <= method.novelty_start=0.3"),
    ],
)
def test_bounds_of_novelty_are_checked(start, stop, message):
    with pytest.raises(UserError, match=message):
        check_novelty(start, stop)


BOUNDS = {"novelty_start": 0.5, "novelty_stop": 0.2}  # of new texts 3, 3, 3, 1, 0, 0: 7/9, 4/9, 1/9 are left


def script(text, request):
    """Three blocks with news, then none."""
    path, turn = who(request)
    if text.endswith("<summarize>"):
        return (f"{'abcdef'[path]}{'uvwxyz'[turn]}" * 5 if turn < 3 else "aaaa nothing new") + "</summarize>"
    return "\\boxed{2}" if text.endswith("</think>") else "word " * 4


@pytest.mark.parametrize("board", [False, True])
def test_leap_in_the_phases_of_cpt(board):
    """Blocks 0 to 3 are heard by nobody; at block 4 all hear; at block 5 each goes on alone."""
    method = leap(AllPeers(), schedule="novelty", board=board, board_text=BOARD, max_tokens=300, **BOUNDS)
    paths, engine = solve(method, script, peers=3)
    for path in paths:
        assert [(route.turn, len(route.peers)) for route in path.routes] == [
            (turn, 2 if turn == 4 else 0) for turn in range(5)
        ]
        assert [turn for kind, turn in kinds(path) if kind == "think"] == [0, 1, 2, 3, 4, 5, 6]
    asked = [request.purpose.turn for request in engine.requests if request.purpose.phase == "summary"]
    assert max(asked) == 5 and len(asked) == 6 * 3


def test_what_leaves_nothing_in_the_path_leaves_it_alone_while_nobody_hears():
    def silent(text, request):
        return "\\boxed{2}" if text.endswith("</think>") else f"{'abcdefghi'[who(request)[0]]}" * 20

    paths, _ = solve(leap(share="tail", schedule="novelty", summary_tokens=20), silent, peers=3)
    assert [route.turn for route in paths[0].routes] == [3]
    assert [turn for kind, turn in kinds(paths[0]) if kind == "comment"] == [3]
