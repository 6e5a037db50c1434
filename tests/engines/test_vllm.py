"""Real vLLM on the CPU with the built-in model: the engine, and groups of paths on it."""

import asyncio
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import pytest

from leap_lab.engines.base import GREEDY, Completion, Request, Sampling
from leap_lab.engines.models import Model
from leap_lab.engines.vllm import VllmEngine
from leap_lab.errors import UserError
from leap_lab.grading.grade import grade
from leap_lab.methods.base import Method
from leap_lab.methods.independent import Independent
from leap_lab.methods.leap import Leap
from leap_lab.path import SAMPLED, Kind
from leap_lab.path import Path as ReasoningPath
from leap_lab.prompts import THINK_CLOSE, load_prompts
from leap_lab.routing import Dispersed
from leap_lab.tasks.arithmetic import generate
from tests.doubles import job

TINY = str(files("leap_lab") / "assets" / "tiny")


PROBLEM = generate(4, seed=0)[3]  # of level 4: its first sum comes out in several ways


LENGTH = 512


class Running:
    """The engine with a loop of its own, for tests that are not coroutines."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.engine = self.runner.run(VllmEngine.start(Model(TINY), max_model_len=LENGTH))

    def generate(self, request: Request) -> Completion:
        return self.runner.run(self.engine.generate(request))

    def solve(self, method: Method, peers: int) -> list[ReasoningPath]:
        return self.runner.run(method.solve(job(peers, problem=PROBLEM), self.engine))

    def ask(self, **changes: object) -> Request:
        prompt = self.engine.tokens.chat(load_prompts("tuned").user(PROBLEM))
        return replace(Request(prompt, 40, seed=1), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    found = Running()
    yield found
    found.runner.run(found.engine.close())
    found.runner.close()


def test_text_comes_back_and_tags_are_tokens(running):
    engine = running.engine
    text = "a=38+27=65.\n\n<summarize> Zoë 漢字 </summarize>\n</think>"
    assert engine.tokens.decode(engine.tokens.encode(text)) == text
    assert len(engine.tokens.encode("</summarize>")) == 1


def test_the_chat_template_is_applied_once(running):
    text = running.engine.tokens.decode(running.engine.tokens.chat("Hello"))
    assert text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n<think>\n"


def test_a_seed_gives_its_own_words_again(running):
    asks = [running.ask(seed=seed) for seed in range(8)]
    first, again = ([running.generate(ask).tokens for ask in asks] for _ in range(2))
    assert first == again
    assert len(set(map(tuple, first))) > 1


def test_a_stop_string_stays_in_and_ends_the_completion(running):
    done = running.generate(running.ask(max_tokens=400, stop=(THINK_CLOSE,), sampling=GREEDY))
    assert (done.stopped, done.stop) == ("stop", THINK_CLOSE)
    assert running.engine.tokens.decode(done.tokens).endswith(THINK_CLOSE)


def test_the_end_of_the_turn_is_left_out(running):
    done = running.generate(running.ask(max_tokens=400, sampling=GREEDY))
    assert done.stopped == "eos"
    assert "<|im_end|>" not in running.engine.tokens.decode(done.tokens)
    assert "\\boxed{" in running.engine.tokens.decode(done.tokens)


def test_a_length_is_kept_to_the_token(running):
    done = running.generate(running.ask(max_tokens=7))
    assert (done.stopped, len(done.tokens)) == ("length", 7)


def test_log_probabilities_come_with_every_token_and_change_none(running):
    plain, told = (running.generate(running.ask(max_tokens=400, top_logprobs=count)) for count in (0, 20))
    assert plain.logprobs is None and told.logprobs is not None
    assert told.tokens == plain.tokens and len(told.logprobs) == len(told.tokens)
    for place in told.logprobs:
        assert len(place) == 20 and place == sorted(place, reverse=True)
        assert place[0] <= 0 and sum(math.exp(each) for each in place) < 1.001
    greedy = running.generate(running.ask(sampling=GREEDY, top_logprobs=1, stop=(THINK_CLOSE,)))
    assert greedy.logprobs is not None and len(greedy.logprobs) == len(greedy.tokens)


def test_cached_prompt_tokens_are_not_computed_again(running):
    ask = running.ask(prompt=running.engine.tokens.encode("b=a-5=67-5=62.\n\n" * 9))
    assert running.generate(ask).prefilled == len(ask.prompt)
    again = running.generate(ask).prefilled
    assert 0 < again < len(ask.prompt) and (len(ask.prompt) - again) % 16 == 0


@pytest.mark.parametrize("changes", [{"max_tokens": LENGTH}, {"prompt": []}, {"max_tokens": 0}])
def test_what_does_not_fit_the_context_is_refused(running, changes):
    with pytest.raises(ValueError, match=f"do not fit max_model_len={LENGTH}"):
        running.generate(running.ask(**changes))


def test_a_cancelled_request_leaves_the_engine_fit(running):
    async def cancelled() -> None:
        task = asyncio.create_task(running.engine.generate(running.ask(max_tokens=400)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    running.runner.run(cancelled())
    assert running.generate(running.ask()).tokens


def test_a_leap_group_keeps_its_rules(running):
    method = Leap(160, 8, Sampling(1.0, 0.95), load_prompts("tuned"), 40, 32, Dispersed(2))
    paths = running.solve(method, peers=5)
    assert {path.finish for path in paths} <= {"answered", "forced"}
    assert any(route.peers for path in paths for route in path.routes)
    for path in paths:
        assert path.spent <= 160
        assert running.engine.tokens.decode(path.tokens) == path.text(*Kind)
        sent = sum(len(segment.tokens) for segment in path.segments if segment.kind is Kind.PROMPT)
        assert 0 < path.usage.prefilled < sent + len(path) * (path.blocks + 2)
        for route in path.routes:
            assert path.index not in route.peers
            assert len(set(route.peers)) == len(route.peers) <= 2
        assert grade(path, PROBLEM).answer is not None


def test_leap_and_independent_paths_begin_with_the_same_words(running):
    prompts, sampling = load_prompts("tuned"), Sampling(1.0, 0.95)
    alone = running.solve(Independent(160, 8, sampling, prompts), peers=4)
    heard = running.solve(Leap(160, 8, sampling, prompts, 40, 32, Dispersed(2)), peers=4)
    same = 0
    for one, other in zip(alone, heard, strict=True):
        first = next(segment.text for segment in other.segments if segment.kind in SAMPLED)
        same += one.text(Kind.THINK).startswith(first)
    assert same >= 3  # rounding may depend on the batch


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, r"its config\.json names no architectures"),
        ({"architectures": ["NoSuchModel"], "model_type": "llama"}, r"vLLM cannot load it \(.*NoSuchModel"),
    ],
)
def test_a_model_that_cannot_be_started_is_one_line(tmp_path, config, message):
    model = tmp_path / "model"
    shutil.copytree(TINY, model)
    known = json.loads((model / "config.json").read_text()) if config else {}
    (model / "config.json").write_text(json.dumps(known | config))
    with pytest.raises(UserError, match=rf"model\.path={model}: .*{message}") as caught:
        asyncio.run(VllmEngine.start(Model(str(model)), max_model_len=LENGTH))
    assert "\n" not in str(caught.value)


def test_an_argument_that_vllm_does_not_have_is_one_line():
    with pytest.raises(UserError, match=r"engine\.tensor_paralel_size: .*tensor_parallel_size") as caught:
        asyncio.run(VllmEngine.start(Model(TINY), tensor_paralel_size=2))
    assert "\n" not in str(caught.value)
