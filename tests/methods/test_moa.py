"""A mixture of agents followed token by token (a token is a character here): what a layer sees, and who pays."""

import asyncio

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Completion, Request, Sampling
from leap_lab.methods.independent import Independent
from leap_lab.methods.job import Job
from leap_lab.path import Kind
from leap_lab.prompts import Prompts
from leap_lab.tasks.problem import Problem
from tests.doubles import PROMPTS, QUESTION, job, who
from tests.methods.agents import Engine, moa, references, sent, solve, talk
from tests.methods.doubles import HEAD


def test_a_group_token_by_token():
    """Three layers of two: each sees the answers of the last layer, and nothing of the thinking or of older layers."""
    paths, engine = solve(moa())
    assert sent(engine, 0) == [HEAD, HEAD + "hm</think>"]
    first = references("agent 0 of layer 0: \\boxed{2}", "agent 1 of layer 0: \\boxed{2}")
    second = references("agent 0 of layer 1: \\boxed{2}", "agent 1 of layer 1: \\boxed{2}")
    assert sent(engine, 1) == [first, first + "hm</think>"]
    assert sent(engine, 2, agent=1) == [second, second + "hmhm</think>"]
    (one, two) = paths
    assert [(segment.kind, segment.turn, segment.text) for segment in two.segments[-2:]] == [
        (Kind.THINK, 2, "hmhm</think>"),
        (Kind.FINAL, 2, "agent 1 of layer 2: \\boxed{2}"),
    ]
    assert "".join(segment.text for segment in one.segments[:-2]) == second
    assert (one.index, two.index, one.finish, two.finish) == (0, 1, "answered", "answered")
    assert [helper.final for helper in two.helpers] == [f"agent 1 of layer {layer}: \\boxed{{2}}" for layer in (0, 1)]


def test_the_first_layer_is_independent_sampling():
    """One layer is the baseline itself; of more, the first asks the same with the same seeds."""
    alone, plain = solve(Independent(300, 4, Sampling(), PROMPTS), peers=3)
    single, one = solve(moa(layers=1), peers=3)
    _, more = solve(moa(), peers=3)
    asked = [(request.prompt, request.seed) for request in plain.requests]
    assert [(request.prompt, request.seed) for request in one.requests] == asked
    assert [path.segments for path in single] == [path.segments for path in alone]
    assert [(request.prompt, request.seed) for request in more.requests[:6]] == asked


def test_every_request_has_its_own_seed():
    _, engine = solve(moa(layers=4), peers=5)
    seeds = [request.seed for request in engine.requests]
    assert len(seeds) == 4 * 5 * 2
    assert len(set(seeds)) == len(seeds)
    again = Engine(lambda text, request: "</think>")
    asyncio.run(moa(layers=4).solve(job(5, group=1), again))
    assert not set(seeds) & {request.seed for request in again.requests}


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_every_layer_is_on_the_bill(layers):
    paths, engine = solve(moa(layers=layers), peers=3)
    rows = graded_rows("r", QUESTION, 0, paths)
    assert [row["path"] for row in rows] == [0, 1, 2]
    assert sum(row["tokens_think"] + row["tokens_summary"] for row in rows) == sum(engine.sampled)
    assert sum(row["tokens_prefilled"] for row in rows) == sum(len(request.prompt) for request in engine.requests)
    for agent, row in enumerate(rows):
        mine = [
            count for count, request in zip(engine.sampled, engine.requests, strict=True) if who(request)[0] == agent
        ]
        assert row["tokens_think"] == sum(mine)
        assert row["started_s"] <= min(helper.finished_s for helper in paths[agent].billed_paths)
    received = rows[0]["tokens_comment"]
    per_layer = len('Answer 1: "agent 0 of layer 0: \\boxed{2}"\n') * 3 - 1
    assert received == per_layer * (layers - 1)


def test_layers_share_one_budget_and_hand_on_what_they_leave():
    """400 tokens over 4 layers: 100, and a third, a half and all of what is left after each."""

    def script(text: str, request: Request) -> str:
        if text.endswith("</think>"):
            return "\\boxed{10}"
        layer = who(request)[1]
        return "9}\n" if text.endswith("\\boxed{") else "x" * (32 if layer == 0 else 10_000) + "</think>"

    (path,), engine = solve(moa(layers=4, max_tokens=400), script, peers=1)
    limits = [request.max_tokens for request in engine.requests if request.stop == ("</think>",)]
    left = 400 - (32 + len("</think>") + len("\\boxed{10}"))
    assert limits[:2] == [100, left // 3]
    left -= left // 3 + len("9}\n")
    assert limits[2] == left // 2
    left -= left // 2 + len("9}\n")
    assert limits[3:] == [left]
    assert [each.finish for each in [*path.helpers, path]] == ["answered", "forced", "forced", "forced"]
    assert sum(each.sampled for each in path.billed_paths) == 400 + len("9}\n"), "all but its own last answer"


def test_an_agent_without_a_budget_left_answers_at_once():
    def script(text: str, request: Request) -> str:
        return "9}\n" if text.endswith("\\boxed{") else talk(text, request) + "x" * 500

    (path,), engine = solve(moa(layers=4, max_tokens=12), script, peers=1)
    assert path.finish == "forced" and path.count(Kind.THINK) == 0
    assert path.final.startswith("\n\n\\boxed{9}")
    assert {who(request)[1] for request in engine.requests} == {0, 1, 2, 3}


def test_no_layer_has_the_tags_explained():
    """No block follows, and so the first layer is asked as independent paths are."""
    prompts = Prompts(
        **(vars(PROMPTS) | {"math": "Q: {problem}{explanation}", "explanation": " TAGS", "head": "SHOWN"})
    )
    _, engine = solve(moa(layers=2, prompts=prompts))
    assert sent(engine, 0)[0] == "[user]Q: 1+1[assistant]<think>\n"
    assert sent(engine, 1)[0].startswith("[user]Q: 1+1\nREFERENCES\nAnswer 1")


def test_a_choice_keeps_its_options_in_every_layer():
    choice = Problem("q", "Which?", "B", "choice", ("red", "green"))
    _, engine = solve(moa(layers=2), problem=choice)
    assert all("A. red\nB. green" in sent(engine, layer)[0] for layer in (0, 1))


def test_beginnings_are_those_of_the_first_layer():
    beginnings = tuple(tuple(map(ord, text)) for text in ("so a", "so b"))
    engine = Engine(talk)
    paths = asyncio.run(moa(layers=2).solve(Job(QUESTION, 0, 2, 7, beginnings=beginnings), engine))
    assert sent(engine, 0, agent=1)[0] == HEAD + "so b"
    assert [path.text(Kind.PREFIX) for path in paths] == ["", ""]
    assert [row["tokens_prefix"] for row in graded_rows("r", QUESTION, 0, paths)] == [4, 4]


def test_a_layer_waits_for_the_whole_layer_before_it():
    order = []

    class Slow(Engine):
        async def generate(self, request: Request) -> Completion:
            order.append(who(request)[1])
            await asyncio.sleep(0.01 * who(request)[0])
            return await super().generate(request)

    asyncio.run(moa().solve(job(3), Slow(talk)))
    assert order == sorted(order)
