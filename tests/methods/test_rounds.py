"""What holds for every method in rounds, whatever its sizes: seeds, bills, budgets, contexts, rows, and resuming."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Request
from leap_lab.engines.journaled import Journaled
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.path import Kind, Path
from leap_lab.seeds import rng_for
from tests.doubles import QUESTION, Killed, Mortal, job, who
from tests.families.cases import FAMILIES, tokens_of
from tests.methods.agents import debate, genselect, moa, pacore, rsa, solve, talk

METHODS: dict[str, Method] = {
    "moa": moa(),
    "rsa": rsa(),
    "rsa, answers": rsa(quote="answer", loops=4),
    "refine": rsa(subset=1),
    "pacore": pacore(),
    "pacore in three rounds": pacore(between=[3]),
    "debate": debate(rounds=3),
    "debate in a chat": debate(rounds=3, memory="chat"),
    "select": genselect(),
    "select by knock-out": genselect(window=2),
    "synthesize": genselect(mode="synthesize"),
    "synthesize by knock-out": genselect(mode="synthesize", window=2),
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def wordy(text: str, request: Request) -> str:
    """Words, lengths and verdicts that depend on the seed: some do not come to an end."""
    rng = rng_for(request.seed)
    if text.endswith(("\\boxed{", "BEST:")):
        return f"{rng.randint(0, 9)}}}\n"
    if text.endswith("</think>"):
        return f"{'because ' * rng.randint(0, 9)}\\boxed{{{rng.randint(0, 9)}}} BEST: {rng.randint(0, 9)}"
    return "hm " * rng.randint(0, 150) + "</think>"


def billed(paths: list[Path]) -> list[Path]:
    return [each for path in paths for each in path.billed_paths]


def methods() -> st.SearchStrategy[tuple[Method, int]]:
    """A method and the size of its groups."""

    def made(peers: int) -> st.SearchStrategy[tuple[Method, int]]:
        size, budget = st.integers(1, peers), st.integers(20, 300)
        kinds: list[st.SearchStrategy[Any]] = [
            st.builds(moa, layers=st.integers(1, 4), max_tokens=budget),
            st.builds(
                rsa,
                subset=size,
                loops=st.integers(1, 4),
                quote=st.sampled_from(["response", "answer"]),
                max_tokens=budget,
            ),
            st.builds(pacore, between=st.lists(st.integers(1, 4), max_size=2), max_tokens=budget),
            st.builds(debate, rounds=st.integers(1, 3), memory=st.sampled_from(["ids", "chat"]), max_tokens=budget),
            st.builds(
                genselect,
                mode=st.sampled_from(["select", "synthesize"]),
                window=st.integers(2, 8),
                max_tokens=budget,
            ),
        ]
        return st.tuples(st.one_of(kinds if peers > 1 else [*kinds[:3], kinds[4]]), st.just(peers))

    return st.integers(1, 7).flatmap(made)


@given(methods(), st.integers(150, 3000))
def test_whatever_the_sizes_the_books_are_right(chosen: tuple[Method, int], context: int) -> None:
    """Every token on one bill, the budget of the group kept, no two seeds alike, the rows that the method promises."""
    method, peers = chosen
    method.check(peers, 3001)
    paths, engine = solve(method, wordy, peers=peers, max_model_len=context)
    assert len({path.index for path in paths}) == len(paths) == method.rows(peers)
    assert len(paths) == 1 or [path.index for path in paths] == list(range(peers)), "a candidate alone keeps its index"
    everyone = billed(paths)
    assert len({id(path) for path in everyone}) == len(everyone), "a helper is billed once"
    rows = graded_rows("r", QUESTION, 0, paths)
    assert sum(row["tokens_think"] for row in rows) == sum(engine.sampled)
    assert sum(row["requests"] for row in rows) == len(engine.requests)
    assert sum(row["tokens_prefilled"] for row in rows) == sum(len(request.prompt) for request in engine.requests)
    assert sum(path.count(Kind.THINK) for path in everyone) <= peers * method.max_tokens
    assert all(path.count(Kind.THINK) <= method.max_tokens for path in everyone)
    assert len({request.seed for request in engine.requests}) == len(engine.requests)
    assert all(path.finish in ("answered", "forced", "context_full") for path in everyone)
    assert all(len(path) <= context for path in everyone)
    weights = [path.weight for path in paths]
    assert weights == [None] * len(paths) or sorted(filter(None, weights)) == [1.0]


@each_method
def test_groups_have_seeds_of_their_own(method: Method) -> None:
    seeds = []
    for group in range(2):
        engine = ScriptedEngine(talk)
        asyncio.run(method.solve(job(5, group=group), engine))
        seeds.append({request.seed for request in engine.requests})
    assert not seeds[0] & seeds[1]


@each_method
def test_a_group_stopped_at_any_request_ends_as_one_that_was_not(method: Method, tmp_path: Any) -> None:
    def decoded(engine: Any) -> list[Path]:
        try:
            paths = asyncio.run(method.solve(job(peers=5), engine))
        finally:
            if isinstance(engine, Journaled):
                engine.stop()
        for path in billed(paths):
            path.started_s = path.finished_s = 0.0
        return paths

    engine = ScriptedEngine(wordy)
    whole, total = decoded(engine), len(engine.requests)
    assert total > 10 and max(who(request)[1] for request in engine.requests) > 0
    for stopped_at in range(total):
        file = tmp_path / "journal" / f"{stopped_at}.jsonl"
        with pytest.raises((Killed, BaseExceptionGroup)):
            decoded(Journaled(Mortal(ScriptedEngine(wordy), stopped_at), file))
        again = ScriptedEngine(wordy)
        assert decoded(Journaled(again, file)) == whole
        assert len(again.requests) == total - stopped_at


@each_method
def test_beginnings_are_those_of_the_first_round(method: Method) -> None:
    beginnings = tuple(tuple(map(ord, f"so {name} ")) for name in "abc")
    engine = ScriptedEngine(talk)
    paths = asyncio.run(method.solve(Job(QUESTION, 0, 3, 7, beginnings=beginnings), engine))
    first = [request for request in engine.requests if who(request)[1] == 0]
    assert all(f"so {'abc'[who(request)[0]]} " in engine.tokens.decode(request.prompt) for request in first)
    begun = [path for path in billed(paths) if path.count(Kind.PREFIX)]
    assert sorted(path.index for path in begun) == [0, 1, 2]
    assert sum(row["tokens_prefix"] for row in graded_rows("r", QUESTION, 0, paths)) == 3 * len("so a ")


@each_method
@pytest.mark.parametrize("thinking", ["auto", "off"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_of_models_goes_through_all_rounds(method: Method, thinking: str, family: Any) -> None:
    """With each chat template, thinking and not, and with hostile answers: one question, one answer of its own each."""
    tokens = tokens_of(family, thinking=thinking)
    hostile = "".join(str(token) for token in tokens.tokenizer.added_tokens_decoder.values())

    def script(text: str, request: Request) -> str:
        if request.purpose is not None and request.purpose.phase == "think" and tokens.form.thinks:
            return f"hm{tokens.form.close}"
        return f"{hostile} \\boxed{{2}}\nBEST: 1" if tokens.form.thinks else "I say \\boxed{2}\nBEST: 1"

    paths, engine = solve(method, script, peers=3, tokens=tokens)
    alone = controls(tokens, engine.requests[0].prompt)
    assert all(path.finish == "answered" for path in billed(paths))
    for request in engine.requests:
        if request.purpose is not None and request.purpose.phase == "think" and not _goes_on(method):
            assert controls(tokens, request.prompt) == alone, "no control token but those of the template"
    assert {row["answer"] for row in graded_rows("r", QUESTION, 0, paths)} == {"2"}


def controls(tokens: Any, prompt: Any) -> Counter[int]:
    """The control tokens of a prompt."""
    special = {index for index, token in tokens.tokenizer.added_tokens_decoder.items() if token.content.strip()}
    return Counter(token for token in prompt if token in special)


def _goes_on(method: Method) -> bool:
    """Whether its later prompts hold several turns."""
    return hasattr(method, "memory")
