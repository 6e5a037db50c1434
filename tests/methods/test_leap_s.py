"""LeaP-S: one block and no more, followed token by token (a token is a character here); helpers, and who pays them."""

import asyncio
from collections import Counter

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Purpose, Request, Sampling
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.methods.job import Job
from leap_lab.methods.leap_s import LeapS
from leap_lab.path import Kind, Path
from leap_lab.routing import AllPeers, Dispersed, NoPeers, RandomPeers, Router
from tests.doubles import PROMPTS, QUESTION, job, leap, who

HEAD = "[user]Q: 1+1[assistant]<think>\n"


def leap_s(router: Router | None = None, **changes) -> LeapS:
    settings = {"position": 20, "max_tokens": 200, "summary_tokens": 30, "answer_tokens": 4} | changes
    return LeapS(sampling=Sampling(), prompts=PROMPTS, router=router or Dispersed(2), **settings)


def talk(text: str, request: Request) -> str:
    """Every path thinks in words of its own and closes its thinking 60 tokens after the block."""
    index = who(request)[0]
    if text.endswith("<summarize>"):
        return f"I am {index}</summarize>"
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("</think>"):
        return "\\boxed{2}"
    if "</comment>" in text:
        return "y" * 60 + "</think>"
    return f"{index}\n\n" + "x" * 40


def solve(method, script=talk, peers=2, **engine) -> tuple[list[Path], ScriptedEngine]:
    scripted = ScriptedEngine(script, **engine)
    return asyncio.run(method.solve(job(peers), scripted)), scripted


def test_a_group_token_by_token():
    """Well beyond T after the block there is no second one: 60 tokens in one go."""
    (one, two), engine = solve(leap_s())
    assert [(segment.kind, segment.turn, segment.text) for segment in one.segments] == [
        (Kind.PROMPT, 0, HEAD),
        (Kind.THINK, 0, "0\n\n"),
        (Kind.TRIGGER, 0, "TRIGGER\n<summarize>"),
        (Kind.SUMMARY, 0, "I am 0</summarize>"),
        (Kind.COMMENT, 0, '\n<comment>\nPeer 1: "I am 1"\n</comment>\n\nHEARD\n\n'),
        (Kind.THINK, 1, "y" * 60 + "</think>"),
        (Kind.FINAL, 1, "\\boxed{2}"),
    ]
    assert [(route.turn, route.peers) for route in two.routes] == [(0, (0,))]
    assert (one.finish, one.blocks, one.tokens_cut) == ("answered", 1, 17)
    mine = [request for request in engine.requests if who(request)[0] == 0]
    spent = 20 + len("I am 0</summarize>")
    assert [request.max_tokens for request in mine] == [20, 30, 200 - spent, 200]
    for request, stop in zip(mine[1:], (3, 5, 6), strict=True):
        assert engine.tokens.decode(request.prompt) == "".join(segment.text for segment in one.segments[:stop])


def test_it_is_leap_up_to_the_end_of_the_block():
    """With T as the interval: the same requests and routes, so that the two differ by the later blocks alone."""
    long = {"max_tokens": 400}
    with_one, single = solve(leap_s(RandomPeers(2), **long), peers=5)
    with_many, repeated = solve(leap(RandomPeers(2), **long), peers=5)
    until = [[path.segments[:5] for path in paths] for paths in (with_one, with_many)]
    assert until[0] == until[1]
    assert [path.routes[0] for path in with_one] == [path.routes[0] for path in with_many]
    assert [request.seed for request in single.requests[:10]] == [request.seed for request in repeated.requests[:10]]
    assert {path.blocks for path in with_one} == {1} and min(path.blocks for path in with_many) > 1


@pytest.mark.parametrize("position", [5, 20, 31])
def test_the_block_stands_at_the_position(position):
    _, engine = solve(leap_s(position=position))
    limits = [request.max_tokens for request in engine.requests if engine.tokens.decode(request.prompt) == HEAD]
    assert limits == [position, position]


def test_every_request_has_its_own_seed():
    _, engine = solve(leap_s(helpers=4), peers=9)
    seeds = [request.seed for request in engine.requests]
    assert len(seeds) == 2 * 9 + 2 * 5
    assert len(set(seeds)) == len(seeds)


def test_a_path_that_closed_before_the_block_is_not_in_it():
    def script(text: str, request: Request) -> str:
        return "</think>" if request.purpose == Purpose(0, 0, "think") else talk(text, request)

    (quick, slow), _ = solve(leap_s(), script)
    assert (quick.blocks, quick.text(Kind.FINAL)) == (0, "\\boxed{2}")
    assert slow.text(Kind.COMMENT) == "\n<comment>\n</comment>\n\nALONE\n\n"
    both, _ = solve(leap_s(), lambda text, request: "</think>" if text == HEAD else talk(text, request))
    assert [(path.blocks, path.finish) for path in both] == [(0, "answered")] * 2


@pytest.mark.parametrize("room", range(30, 330, 7))
@pytest.mark.parametrize("helpers", [None, 2])
def test_a_full_context_ends_in_a_forced_answer_and_never_raises(room, helpers):
    def endless(text: str, request: Request) -> str:
        return talk(text, request) if text.endswith(("<summarize>", "\\boxed{")) else "a\n\nword " * 99

    paths, _ = solve(leap_s(helpers=helpers, max_tokens=1000), endless, peers=3, max_model_len=len(HEAD) + room)
    assert [path.finish for path in paths] == ["context_full"] * (1 if helpers else 3)
    assert all(path.final.startswith("\n\n\\boxed{9}") and len(path) <= len(HEAD) + room for path in paths)


def test_the_budget_ends_in_a_forced_answer():
    (path,), _ = solve(leap_s(max_tokens=70), peers=1)
    assert (path.finish, path.spent) == ("forced", 70)


def test_one_surviving_path_hears_its_helpers():
    """Table 4 with k = 3: the helpers stop after their summary, and only the survivor has an answer."""
    (survivor,), engine = solve(leap_s(AllPeers(), helpers=3), peers=4)
    assert survivor.index == 0 and survivor.final == "\\boxed{2}"
    assert survivor.routes[0].peers == (1, 2, 3)
    assert survivor.text(Kind.COMMENT) == (
        '\n<comment>\nPeer 1: "I am 1"\nPeer 2: "I am 2"\nPeer 3: "I am 3"\n</comment>\n\nHEARD\n\n'
    )
    assert Counter(who(request)[0] for request in engine.requests) == {0: 4, 1: 2, 2: 2, 3: 2}
    assert [helper.segments[-1].kind for helper in survivor.helpers] == [Kind.SUMMARY] * 3
    assert [helper.finish for helper in survivor.helpers] == [None] * 3


def test_survivors_hear_helpers_and_not_each_other():
    """So that each of them is what the only survivor of a smaller group would be."""
    paths, _ = solve(leap_s(AllPeers(), helpers=2), peers=5)
    assert [path.index for path in paths] == [0, 1, 2]
    assert [path.routes[0].peers for path in paths] == [(3, 4)] * 3


def test_the_router_chooses_among_the_helpers_for_each_survivor():
    paths, _ = solve(leap_s(RandomPeers(2), helpers=6), peers=12)
    heard = [path.routes[0].peers for path in paths]
    assert {peer for peers in heard for peer in peers} <= set(range(6, 12))
    assert all(len(set(peers)) == 2 for peers in heard)
    assert len({frozenset(peers) for peers in heard}) > 1, "each survivor has a draw of its own"
    nobody, _ = solve(leap_s(NoPeers(), helpers=2), peers=3)
    assert "ALONE" in nobody[0].text(Kind.COMMENT)


@pytest.mark.parametrize(("peers", "helpers"), [(4, 3), (5, 2), (6, 4), (2, 1)])
def test_every_sampled_token_is_on_one_bill(peers, helpers):
    sampled: list[int] = []

    class Counting(ScriptedEngine):
        async def generate(self, request: Request):
            done = await super().generate(request)
            sampled.append(len(done.tokens))
            return done

    engine = Counting(talk)
    paths = asyncio.run(leap_s(helpers=helpers).solve(job(peers), engine))
    rows = graded_rows("r", QUESTION, 0, paths)
    assert len(rows) == peers - helpers
    assert sum(row["tokens_think"] + row["tokens_summary"] for row in rows) == sum(sampled)
    assert sum(row["tokens_prefilled"] for row in rows) == sum(len(request.prompt) for request in engine.requests)
    shares = [len(path.helpers) for path in paths]
    assert max(shares) - min(shares) <= 1
    first = rows[0]
    assert first["tokens_summary"] == len("I am 0</summarize>") * (1 + shares[0])
    assert [part["kind"] for part in first["segments"]].count("summary") == 1, "the transcript is the survivor's own"


def test_helpers_do_not_eat_the_survivors_budget():
    alone, _ = solve(leap_s(NoPeers()), peers=1)
    helped, _ = solve(leap_s(NoPeers(), helpers=8), peers=9)
    assert helped[0].spent == alone[0].spent
    assert helped[0].segments == alone[0].segments


def test_a_helper_that_closed_its_thinking_costs_no_answer_and_is_not_heard():
    def script(text: str, request: Request) -> str:
        return "done</think>" if request.purpose == Purpose(2, 0, "think") else talk(text, request)

    (survivor,), engine = solve(leap_s(AllPeers(), helpers=2), script, peers=3)
    assert survivor.routes[0].peers == (1,)
    assert Counter(who(request)[0] for request in engine.requests)[2] == 1
    assert sum(helper.sampled for helper in survivor.helpers) == 20 + len("I am 1</summarize>") + len("done</think>")


def test_a_survivor_that_closed_early_pays_its_helpers_all_the_same():
    def script(text: str, request: Request) -> str:
        return "</think>" if request.purpose == Purpose(0, 0, "think") else talk(text, request)

    (survivor,), _ = solve(leap_s(helpers=2), script, peers=3)
    assert (survivor.blocks, survivor.finish, len(survivor.helpers)) == (0, "answered", 2)


def test_paths_and_helpers_start_from_their_beginnings():
    beginnings = tuple(tuple(map(ord, text)) for text in ("so a", "so b", "so c"))
    engine = ScriptedEngine(talk)
    paths = asyncio.run(leap_s(helpers=1).solve(Job(QUESTION, 0, 3, 7, beginnings=beginnings), engine))
    everyone = [*paths, *paths[0].helpers]
    assert [path.text(Kind.PREFIX) for path in everyone] == ["so a", "so b", "so c"]
    assert paths[0].thinking.startswith("so a0\n\n")
