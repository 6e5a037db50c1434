"""Real vLLM on the CPU with the built-in model: the engine, one LeaP group, and the command as a user types it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pandas as pd
import psutil
import pytest

from leap_lab.engines.base import GREEDY, Completion, Request, Sampling
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
from tests.doubles import as_in_a_terminal, job

TINY = str(files("leap_lab") / "assets" / "tiny")
PROBLEM = generate(4, seed=0)[3]  # of level 4: its first sum comes out in several ways
LENGTH = 512


class Running:
    """The engine with a loop of its own, for tests that are not coroutines."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.engine = self.runner.run(VllmEngine.start(TINY, max_model_len=LENGTH))

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


def test_what_cannot_be_started_is_one_line(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    for model, arguments, message in (
        (TINY, {"tensor_paralel_size": 2}, r"engine\.tensor_paralel_size: .*tensor_parallel_size"),
        (str(tmp_path), {}, r"model\.path=.*vLLM cannot load it"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            asyncio.run(VllmEngine.start(model, **arguments))
        assert "\n" not in str(caught.value)


def command(*arguments: str, runs: Path) -> list[str]:
    return [sys.executable, "-m", "leap_lab.run", *arguments, f"runs_dir={runs}"]


def environment() -> dict[str, str]:
    """Without any key, as on a new machine."""
    return {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}


def call(line: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment(), timeout=500)


def test_the_command_of_the_readme(tmp_path):
    line = command("-m", "router=clustered,dispersed", "limit=3", "peers=4", runs=tmp_path)
    ran = call(line)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("starting the engine") == 1
    for row in ("independent", "clustered k=4", "dispersed k=4"):
        assert row in ran.stdout
    folders = [file.parent for file in tmp_path.glob("*/identity.json")]
    paths = pd.concat(pd.read_parquet(file) for file in tmp_path.glob("*/groups/*.parquet"))
    assert len(folders) == 3 and len(paths) == 3 * 3 * 4
    assert set(paths["finish"]) <= {"answered", "forced"}
    tracked = {path.name.rsplit("-", 1)[1] for path in tmp_path.glob("wandb/offline-run-*")}
    assert tracked == {*(folder.name for folder in folders), "report"}

    started = time.monotonic()
    again = call(line)
    assert again.returncode == 0 and "starting the engine" not in again.stderr
    assert again.stdout.partition("\nreport:")[0] == ran.stdout.partition("\nreport:")[0]
    assert time.monotonic() - started < 60, "no engine, no model"


def test_experiments_end_with_one_report(tmp_path):
    """Beginnings, probes and layers of agents on a real engine, which starts once."""
    small = ["limit=5", "peers=4", "reference.responses=8", "tracking=none"]
    ran = call(command("-m", "experiment=trap,transitions,scaling", *small, runs=tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("starting the engine") == 1
    paths = pd.concat(pd.read_parquet(file) for file in tmp_path.glob("*/groups/*.parquet"))
    begun = paths[paths["tokens_prefix"] > 0]
    assert len(begun) >= 8 and {"prefix"} <= {part["kind"] for part in begun.iloc[0]["segments"]}
    probed = paths[(paths["tokens_probe"] > 0)]
    assert {probe["phase"] for probes in probed["probes"] for probe in probes} == {"before", "after"}
    [report] = tmp_path.glob("reports/paper-*/report.html")
    text = report.read_text()
    for name in ("trap", "transitions", "scaling"):
        assert f'<section id="{name}">' in text and report.with_name(f"{name}.png").is_file()
    configs = [file.read_text() for file in tmp_path.glob("*/config.yaml")]
    for method in ("independent", "leap", "moa"):
        assert any(f"name: {method}\n" in config for config in configs)


def interrupt(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGINT)


def kill_engine(running: subprocess.Popen[str]) -> None:
    for child in psutil.Process(running.pid).children(recursive=True):
        if "EngineCore" in " ".join(child.cmdline()):
            child.kill()


def kill(running: subprocess.Popen[str]) -> None:
    running.kill()


FAULTS = {
    interrupt: (130, "rerun the same command to resume"),
    kill_engine: (1, "error: vLLM's engine process died; its log: "),
    kill: (-signal.SIGKILL, ""),
}


def test_a_stop_a_dead_engine_and_a_kill_lose_nothing_that_was_finished(tmp_path):
    line = command("limit=400", "peers=4", "baseline=false", "tracking=none", runs=tmp_path)
    for fault, (status, message) in FAULTS.items():
        before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/groups/*.parquet")}
        running = subprocess.Popen(
            line,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            preexec_fn=as_in_a_terminal,
        )
        deadline = time.monotonic() + 300
        while len(list(tmp_path.glob("*/groups/*.parquet"))) < len(before) + 3:
            assert running.poll() is None and time.monotonic() < deadline, running.communicate()
            time.sleep(0.1)
        children = psutil.Process(running.pid).children(recursive=True)
        fault(running)
        _, err = running.communicate(timeout=60)
        assert running.returncode == status, err
        assert message in err and "Traceback" not in err
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive, "the engine's processes end with the command"
        kept = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/groups/*.parquet")}
        assert before.items() <= kept.items()
        assert list(tmp_path.glob("*/journal/*.jsonl")), "what the groups in flight had sampled is kept, too"
    ran = call([*line[:3], f"limit={len(kept) + 1}", *line[4:]])
    assert ran.returncode == 0, ran.stderr
    assert kept.items() <= {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/groups/*.parquet")}.items()
    assert re.search(rf"{len(kept) + 1}×1×4", ran.stdout), ran.stdout
