"""Log-probabilities of a request: what engines tell, and what the journal keeps."""

import asyncio
import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from leap_lab.engines.base import Request
from leap_lab.engines.journaled import Journaled, key_of
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.engines.vllm import VllmSettings, _completion

ASK = Request([1, 2], 5, seed=3, top_logprobs=3)


@dataclass
class Told:
    """What vLLM tells of one candidate."""

    logprob: float


def output(places: list[dict[int, float]], reason: str = "length", stop: int | str | None = None) -> SimpleNamespace:
    told = [{token: Told(value) for token, value in place.items()} for place in places]
    result = SimpleNamespace(
        finish_reason=reason, token_ids=[7] * len(places), stop_reason=stop, logprobs=told if places else None
    )
    return SimpleNamespace(outputs=[result], prompt_token_ids=[1, 2], num_cached_tokens=0)


def test_exactly_the_most_likely_tokens_are_told_in_descending_order():
    """vLLM puts the sampled token first, and adds it where it is none of the most likely."""
    places = [{7: -4.0, 1: -0.2, 2: -1.5, 3: -3.0}, {7: -0.1, 2: -2.5, 3: -3.123456789}]
    assert _completion(output(places), [], 3).logprobs == [[-0.2, -1.5, -3.0], [-0.1, -2.5, -3.12346]]


def test_the_end_of_a_sequence_has_no_log_probabilities_as_it_has_no_token():
    done = _completion(output([{7: -0.5}, {7: -0.25}], "stop"), [], 1)
    assert (done.stopped, done.tokens, done.logprobs) == ("eos", [7], [[-0.5]])
    kept = _completion(output([{7: -0.5}, {7: -0.25}], "stop", 7), [7], 1)
    assert (kept.stopped, kept.tokens, kept.logprobs) == ("stop", [7, 7], [[-0.5], [-0.25]])


def test_a_token_that_cannot_be_sampled_has_a_number():
    assert _completion(output([{7: 0.0, 1: -math.inf}]), [], 2).logprobs == [[0.0, -9999.0]]


def test_without_being_asked_nothing_is_told():
    assert _completion(output([]), []).logprobs is None
    engine = ScriptedEngine(lambda text, request: "abc")
    assert asyncio.run(engine.generate(replace(ASK, top_logprobs=0))).logprobs is None


@pytest.mark.parametrize("limit", [2, 3, 9])
def test_a_scripted_engine_tells_some_for_each_token(limit):
    engine = ScriptedEngine(lambda text, request: "abc")
    done, again = (asyncio.run(engine.generate(replace(ASK, max_tokens=limit))) for _ in range(2))
    assert done == again and done.logprobs is not None
    assert len(done.logprobs) == len(done.tokens) == min(limit, 3)
    for place in done.logprobs:
        assert place == sorted(place, reverse=True) and len(place) == 3
        assert sum(map(math.exp, place)) <= 1
    other = asyncio.run(engine.generate(replace(ASK, seed=4))).logprobs
    assert other is not None and other[0] != done.logprobs[0]


def test_a_program_may_tell_its_own():
    engine = ScriptedEngine(
        lambda text, request: "ab", logprobs=lambda request, tokens: [[-float(each)] for each in tokens]
    )
    assert asyncio.run(engine.generate(ASK)).logprobs == [[-97.0], [-98.0]]


def test_the_journal_keeps_them(tmp_path):
    file = tmp_path / "journal" / "q.jsonl"
    journaled = Journaled(ScriptedEngine(lambda text, request: "abc"), file)
    first = asyncio.run(journaled.generate(ASK))
    journaled.stop()
    again = Journaled(ScriptedEngine(lambda text, request: "other"), file)
    assert asyncio.run(again.generate(ASK)) == first and first.logprobs is not None
    assert asyncio.run(again.generate(replace(ASK, top_logprobs=2))).tokens != first.tokens, "another request"
    again.stop()


def test_a_request_without_them_has_the_name_that_it_had():
    """So that a journal of an earlier version still counts."""
    assert key_of(replace(ASK, top_logprobs=0)) == "f9ad5ba8fc1bdb9cf6e70e2c39ce5919"
    assert len({key_of(replace(ASK, top_logprobs=count)) for count in range(3)}) == 3


def test_the_limit_of_vllm_is_a_setting_of_its_own():
    assert VllmSettings(512).max_logprobs == 20
    assert VllmSettings(512, max_logprobs=50).max_logprobs == 50
    assert VllmSettings(512, max_logprobs=50).identity() == VllmSettings(512).identity()
