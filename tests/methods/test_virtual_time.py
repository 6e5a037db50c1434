"""Blocks at which nobody waits: who hears what by own tokens, whatever the order in which an engine answers."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Request
from leap_lab.methods.exchange.virtual_time import Message, Timeline
from leap_lab.path import Kind
from leap_lab.routing import AllPeers, Dispersed, RandomPeers
from tests.doubles import QUESTION, leap, who
from tests.methods.doubles import solve
from tests.methods.grid import BOARD, DISTILLER, late, seen


def script(text: str, request: Request) -> str:
    """Path i summarizes in 2 + 9i letters and a closing tag; path 0 closes its thinking after two blocks."""
    path, turn = who(request)
    if text.endswith("<summarize>"):
        return f"{path}{turn}" + "." * 9 * path + "</summarize>"
    if text.endswith("<notes>\n"):
        return f"insight: {path} {turn} {'x' * (path * turn % 7)}</notes>"
    if text.endswith("\\boxed{"):
        return f"{path}}}\n"
    if text.endswith("</think>"):
        return "\\boxed{2}"
    return "</think>" if path == 0 and turn == 2 else "word " * 4


def heard(path) -> list[tuple[int, str]]:
    """The turn of each block, and the first two letters of all that was heard there."""
    comments = [(part.turn, part.text) for part in path.segments if part.kind is Kind.COMMENT]
    return [(turn, " ".join(said[:2] for said in text.split(': "')[1:])) for turn, text in comments]


def test_a_group_by_hand():
    """T = 20, at most 40 for a summary, which takes 14, 23 and 32 tokens of paths 0, 1 and 2.

    Block 0 begins at 20 for all: heard from 60 on, and so by nobody at 34, 43 and 52. Block 1 begins at 54, 63 and 72:
    heard after 94, 103 and 112; at 68, 86 and 104 all have heard block 0, and path 2 also block 1 of path 0 and 1.
    Path 0 then leaves, and stays audible.
    """
    method = leap(AllPeers(), barrier=False, interval=20, summary_tokens=40, max_tokens=150)
    paths, _ = solve(method, script, peers=3)
    assert heard(paths[0]) == [(0, ""), (1, "10 20")]
    assert heard(paths[1])[:3] == [(0, ""), (1, "20 00"), (2, "21 01")]
    assert heard(paths[2])[:2] == [(0, ""), (1, "01 11")]
    assert [route.peers for route in paths[2].routes[:2]] == [(), (0, 1)]


def test_with_a_barrier_the_same_paths_hear_each_other_at_once():
    paths, _ = solve(leap(AllPeers(), summary_tokens=40, max_tokens=150), script, peers=3)
    assert heard(paths[0]) == [(0, "10 20"), (1, "11 21")]
    assert heard(paths[1])[:3] == [(0, "20 00"), (1, "21 01"), (2, "")]


def test_the_critical_path_follows_what_was_heard():
    method = leap(AllPeers(), barrier=False, interval=20, summary_tokens=40, max_tokens=150)
    paths, _ = solve(method, script, peers=3)
    alone = [path.sampled for path in paths]
    assert [path.critical_path for path in paths] == alone, "by its own clock nobody waits"


@pytest.mark.parametrize("share", ["summary", "tail", "answer", "notes"])
@pytest.mark.parametrize("board", [False, True])
def test_no_delay_of_the_engine_changes_what_a_path_hears(share, board):
    method = leap(
        RandomPeers(2), barrier=False, share=share, board=board, board_text=BOARD, notes=DISTILLER, max_tokens=220
    )
    first, engine = late(method, script, 0, peers=4)
    assert any(route.peers for path in first for route in path.routes)
    seeds = [request.seed for request in engine.requests]
    assert len(set(seeds)) == len(seeds)
    for seed in range(1, 12):
        again, other = late(method, script, seed, peers=4)
        assert [seen(path) for path in again] == [seen(path) for path in first], seed
        assert sorted(request.seed for request in other.requests) == sorted(seeds)


def test_a_late_engine_answers_in_another_order():
    """Else the test above would show nothing."""
    method = leap(Dispersed(2), barrier=False, max_tokens=220)
    orders = {tuple(who(request) for request in late(method, script, seed, peers=4)[1].requests) for seed in range(4)}
    assert len(orders) == 4


@settings(max_examples=60, deadline=None)
@given(
    peers=st.integers(1, 6),
    k=st.integers(1, 6),
    interval=st.integers(1, 40),
    summary=st.integers(1, 40),
    budget=st.integers(1, 250),
    room=st.integers(80, 600),
    share=st.sampled_from(["summary", "tail", "answer", "notes"]),
    seed=st.integers(0, 99),
)
def test_it_always_ends_and_can_be_repeated(peers, k, interval, summary, budget, room, share, seed):
    """Whatever the lengths, the context and the order of the answers; and no budget is exceeded."""

    def talk(text, request):
        path, turn = who(request)
        if text.endswith("\\boxed{"):
            return "2}\n"
        if text.endswith("</think>"):
            return "\\boxed{2}"
        if request.purpose.phase.startswith("think") and (path + turn) % 4 == 3:
            return "<summarize> of its own" if turn % 2 else "</think>"
        return "insight: x\n\n" * (path + 1) + ("</summarize>" if turn % 3 else "</notes>")

    method = leap(
        RandomPeers(k),
        barrier=False,
        interval=interval,
        summary_tokens=summary,
        max_tokens=budget,
        share=share,
        notes=DISTILLER,
    )
    one, _ = late(method, talk, seed, peers=peers, max_model_len=room)
    other, _ = late(method, talk, seed + 1000, peers=peers, max_model_len=room)
    assert [seen(path) for path in one] == [seen(path) for path in other]
    assert all(path.finish and path.spent <= budget for path in one)
    assert len(graded_rows("r", QUESTION, 0, one)) == peers


def test_a_path_waits_until_the_others_have_told_what_it_must_hear():
    async def scene():
        timeline = Timeline({0: 50, 1: 50})
        asked = asyncio.create_task(timeline.heard(0, 60))
        await asyncio.sleep(0)
        assert not asked.done(), "path 1 may still tell something at 50"
        timeline.tell(1, Message(50, ["first"], 50))
        timeline.tell(1, Message(60, ["too late"], 60))
        await timeline.promise(1, 59)
        await asyncio.sleep(0)
        assert not asked.done()
        await timeline.promise(1, 60)
        assert {index: message.parts for index, message in (await asked).items()} == {1: ["first"]}

    asyncio.run(scene())


def test_probes_change_nothing():
    plain, _ = late(leap(Dispersed(1), barrier=False), script, 1)
    probed, _ = late(leap(Dispersed(1), barrier=False, probe_tokens=5), script, 2)
    assert [path.segments for path in plain] == [path.segments for path in probed]
    assert all(len(path.branches) >= 2 * path.blocks for path in probed)
