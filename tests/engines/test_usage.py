"""What groups cost, counted by hand or request by request (a token is a character here)."""

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Completion, Request, Sampling, Stopped
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.engines.usage import Usage
from leap_lab.methods.base import Method
from leap_lab.methods.independent import Independent
from leap_lab.methods.leap_s import LeapS
from leap_lab.methods.moa import Moa
from leap_lab.routing import Dispersed
from tests.doubles import AGGREGATE, PROMPTS, QUESTION, job, leap, who

BLOCK = 16
PARTS: dict[str, Any] = {"answer_tokens": 4, "sampling": Sampling(), "prompts": PROMPTS}
METHODS: dict[str, Method] = {
    "independent": Independent(200, **PARTS),
    "leap": leap(max_tokens=120),
    "leap, probed": leap(max_tokens=120, probe_tokens=6),
    "leap_s with helpers": LeapS(
        max_tokens=200, position=20, summary_tokens=30, router=Dispersed(2), helpers=2, **PARTS
    ),
    "moa": Moa(max_tokens=300, aggregate=AGGREGATE, **PARTS),
}


class Caching(ScriptedEngine):
    """Keeps a prefix cache by whole blocks, and the bill of every request."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cache: set[tuple[int, ...]] = set()
        self.bills: list[tuple[Request, Completion]] = []

    async def generate(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        done = await super().generate(request)
        ends = range(BLOCK, len(request.prompt), BLOCK)  # the last token is always computed
        blocks = [tuple(request.prompt[:end]) for end in ends]
        hits = sum(block in self.cache for block in blocks)
        self.cache.update(blocks)
        self.bills.append((request, Completion(done.tokens, done.stopped, len(request.prompt) - BLOCK * hits)))
        return self.bills[-1][1]


def talk(text: str, request: Request) -> str:
    """Path i takes i more tokens for everything it says, and closes its thinking after a block, or in layer 1."""
    index, turn = who(request)
    more = "+" * index
    if text.endswith("<summarize>"):
        return f"sum{more}</summarize>"
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("</think>"):
        return f"{more}\\boxed{{2}}"
    return f"ab{more}</think>" if turn else "one\n\n" + "x" * 400


def solve(method: Method, peers: int) -> tuple[list[dict[str, Any]], Caching]:
    engine = Caching(talk)
    paths = asyncio.run(method.solve(job(peers), engine))
    return graded_rows("r", QUESTION, 0, paths), engine


@pytest.mark.parametrize("stopped, decoded", [("stop", 4), ("length", 4), ("eos", 5)])
@pytest.mark.parametrize("prefilled", [1, 30])
def test_one_request_token_by_token(stopped: Stopped, decoded: int, prefilled: int) -> None:
    """The last sampled token never goes through the model; where that is an end of sequence, all that are kept did."""
    request = Request(range(30), 99, 0)
    found = Usage.of(request, Completion([1] * 5, stopped, prefilled))
    computed = range(30 - prefilled, 30 + decoded)  # positions, of which each attends to those before and to itself
    assert found == Usage(1, prefilled, 30 - prefilled, decoded, sum(position + 1 for position in computed))


def test_an_empty_completion_decodes_nothing() -> None:
    assert Usage.of(Request([1, 2], 9, 0), Completion([], "eos", 2)) == Usage(1, 2, 0, 0, 3)
    assert Usage.of(Request([1, 2], 9, 0), Completion([], "stop", 2)).decoded == 0


@pytest.mark.parametrize("name", METHODS)
def test_every_request_is_on_one_bill(name: str) -> None:
    """Prefilled and cached tokens of a group, probes included, add up to the prompts; all else to all requests."""
    rows, engine = solve(METHODS[name], 5)
    whole = sum((Usage.of(*bill) for bill in engine.bills), Usage())

    def total(column: str) -> int:
        own, probe = column, column.replace("tokens_", "tokens_probe_") if "_" in column else f"{column}_probe"
        return sum(row[own] + row[probe] for row in rows)

    assert total("tokens_prefilled") + total("tokens_cached") == sum(len(each.prompt) for each in engine.requests)
    assert total("requests") == len(engine.requests) == whole.requests
    assert total("tokens_cached") == whole.cached > 0
    assert (total("tokens_decoded"), total("tokens_attended")) == (whole.decoded, whole.attended)
    sampled = sum(row["tokens_think"] + row["tokens_summary"] + row["tokens_probe"] for row in rows)
    assert sampled == sum(len(done.tokens) for _, done in engine.bills)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class Perfect(ScriptedEngine):
    """Keeps every token that went through the model, and the bill of every request as that cache has it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.known: list[list[int]] = []
        self.bills: list[Usage] = []

    async def generate(self, request: Request) -> Completion:
        done = await super().generate(request)
        prompt = list(request.prompt)
        found = max((common(prompt, earlier) for earlier in self.known), default=0)
        computed = len(prompt) - min(found, len(prompt) - 1)
        self.known.append([*prompt, *done.tokens[:-1]])
        self.bills.append(Usage.of(request, Completion(done.tokens, done.stopped, computed)))
        return done


def apart(text: str, request: Request) -> str:
    """As `talk`, but no two paths ever say the same, so that they share their prompt alone."""
    index, _ = who(request)
    if text.endswith("\\boxed{"):
        return f"{index}9}}\n"
    return f"{index}" + talk(text, request)


@pytest.mark.parametrize("name", [name for name in METHODS if "probed" not in name])
def test_bounds_are_what_a_perfect_cache_and_none_would_compute(name: str) -> None:
    engine = Perfect(apart)
    rows = graded_rows("r", QUESTION, 0, asyncio.run(METHODS[name].solve(job(5), engine)))
    whole = sum(engine.bills, Usage())
    bare = [Usage.of(each, Completion([], "stop", len(each.prompt))) for each in engine.requests]

    def total(column: str) -> int:
        return sum(row[column] for row in rows)

    assert total("tokens_prefilled_most") == sum(len(each.prompt) for each in engine.requests)
    assert total("tokens_decoded") == whole.decoded and len(bare) == whole.requests
    if name == "moa":  # whose later layers begin like earlier ones, which is counted again
        assert whole.prefilled < total("tokens_prefilled_least") < total("tokens_prefilled_most")
    else:
        assert total("tokens_prefilled_least") == whole.prefilled
        assert total("tokens_attended_least") == whole.attended
    assert total("tokens_attended_least") < total("tokens_attended_most")


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("moa", "leap, probed")])
def test_what_a_group_by_itself_is_measured_at_lies_within_the_bounds(name: str) -> None:
    """Probes, and other layers of agents, leave more in the cache than the bound reckons with."""
    engine = Caching(apart)
    rows = graded_rows("r", QUESTION, 0, asyncio.run(METHODS[name].solve(job(5), engine)))
    for what in ("prefilled", "attended"):
        least, measured, most = (sum(row[f"tokens_{what}{bound}"] for row in rows) for bound in ("_least", "", "_most"))
        assert least < measured < most


def test_independent_paths_wait_for_nobody() -> None:
    """Three paths that spend their 200 tokens and are made to answer."""
    rows, _ = solve(METHODS["independent"], 3)
    assert [row["critical_path"] for row in rows] == [203, 203, 203]
    assert [(row["tokens_answer"], row["tokens_forced"]) for row in rows] == [(3, 3)] * 3


def test_at_a_block_every_path_waits_for_the_longest_summary() -> None:
    """T = 20, then a summary of 15 + i tokens: both go on from 20 + 16; then `ab</think>` and the answer."""
    rows, _ = solve(METHODS["leap"], 2)
    block = 20 + len("sum+</summarize>")
    closed, answered = len("ab</think>"), len("\\boxed{2}")
    assert [row["critical_path"] for row in rows] == [block + closed + answered, block + closed + answered + 2]
    assert [(row["tokens_answer"], row["tokens_forced"]) for row in rows] == [(9, 0), (10, 0)]
    assert [row["tokens_think"] + row["tokens_summary"] for row in rows] == [54, 57]


def test_probes_do_not_lengthen_the_critical_path() -> None:
    plain, probed = (solve(METHODS[name], 3)[0] for name in ("leap", "leap, probed"))
    assert [row["critical_path"] for row in plain] == [row["critical_path"] for row in probed]
    assert all(row["requests_probe"] == 0 for row in plain) and all(row["requests_probe"] > 0 for row in probed)


def test_survivors_wait_for_their_helpers() -> None:
    """Paths 0 and 1 survive, 2 and 3 help: path 3 has the longest summary."""
    rows, _ = solve(METHODS["leap_s with helpers"], 4)
    block = 20 + len("sum+++</summarize>")
    assert [row["critical_path"] for row in rows] == [block + 19, block + 19 + 2]


def test_a_layer_waits_for_the_slowest_agent_of_the_last_one() -> None:
    """Layer 0 spends 300 // 4 tokens and is made to answer; agent 1 is the slowest of the layers after it."""
    rows, _ = solve(METHODS["moa"], 2)
    first, fast = 75 + len("9}\n"), len("ab</think>") + len("\\boxed{2}")
    assert [row["critical_path"] for row in rows] == [first + 2 * (fast + 2) + fast, first + 3 * (fast + 2)]
