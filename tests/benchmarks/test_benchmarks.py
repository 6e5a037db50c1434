"""The benchmarks' own parts, no clock asked: targets, the floor, the lock-step schedule, the measured work."""

import asyncio

import psutil
import pytest

from leap_lab.benchmarks import alone, rates, work
from leap_lab.benchmarks.__main__ import is_met
from leap_lab.benchmarks.lockstep import AT_A_TIME, LockStep
from leap_lab.builtin.reasoner import ScriptedSettings
from leap_lab.engines.base import Completion, EngineWrapper, Request, Sampling
from leap_lab.engines.metered import Metered
from leap_lab.engines.scripted import ScriptedEngine
from tests.doubles import job, leap


def test_a_target_is_a_bound_from_one_side():
    assert is_met(0.8, ">= 0.8") and not is_met(0.79, ">= 0.8")
    assert is_met(1.1, "<= 1.1") and not is_met(1.11, "<= 1.1")
    assert is_met(5.0, "") is None


def test_the_floor_adds_decoding_and_prefilling():
    assert rates.Rates(decode=100.0, prefill=1000.0).floor(sampled=500, prefilled=2000) == 7.0


class Counting(EngineWrapper):
    """Notes how many requests are in the engine at once, and all that were made."""

    def __init__(self) -> None:
        super().__init__(
            ScriptedEngine(lambda text, request: "x" * 60 if text.endswith("<summarize>") else "y\n\n" * 60)
        )
        self.now = self.most = 0
        self.order: list[int] = []

    async def generate(self, request: Request) -> Completion:
        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(len(request.prompt))
        await asyncio.sleep(0.001)
        self.now -= 1
        return await super().generate(request)


def test_in_lock_step_no_path_goes_on_before_all_are_back_and_16_go_out_at_a_time():
    counting = Counting()
    paths = asyncio.run(leap().solve(job(peers=20), LockStep(counting)))
    assert counting.most == AT_A_TIME
    assert counting.order[:20] == counting.order[:1] * 20, "all think before the first summarizes"
    assert len(paths) == 20 and all(path.blocks > 1 for path in paths)


def test_lock_step_changes_no_token():
    plain = asyncio.run(leap().solve(job(peers=5), Counting()))
    stepped = asyncio.run(leap().solve(job(peers=5), LockStep(Counting())))
    assert [path.tokens for path in stepped] == [path.tokens for path in plain]


def test_rates_are_measured_at_the_asked_concurrency_and_context():
    seen: list[Request] = []

    class Noting(EngineWrapper):
        async def generate(self, request: Request) -> Completion:
            seen.append(request)
            await asyncio.sleep(0.001)
            return await super().generate(request)

    engine = Noting(ScriptedEngine(lambda text, request: "x" * 1000))
    found = asyncio.run(rates.measured(engine, 3, 200, Sampling(top_p=0.5)))
    assert found.decode > 0 and found.prefill > 0
    assert len(seen) == 2 * rates.REPEATS * 3 and all(request.ignore_eos for request in seen)
    for request in seen:
        assert len(request.prompt) == 200 - rates.DECODED // 2 and request.sampling == Sampling(top_p=0.5)
    assert len({tuple(request.prompt) for request in seen}) == rates.REPEATS * 3, "fresh prompts, each twice"


def test_the_work_is_that_of_the_command_line(tmp_path):
    cells = [work.cell("engine=scripted", "peers=4", "limit=3", f"router={router}") for router in ("random", "none")]
    spent = asyncio.run(_decoded(cells, tmp_path))
    (one, other) = sorted(tmp_path.glob("*/run.json"))
    assert spent.requests > 0 and spent.prefilled > 0 and spent.context > 0 and spent.seconds > 0
    sampled = [work.cost([folder.parent], 1.0, 1.0).sampled for folder in (one, other)]
    assert spent.sampled == sum(sampled)


async def _decoded(cells, runs):
    engine = Metered(await ScriptedSettings(max_model_len=2048).start("none"))
    return await work.decoded(cells, engine, runs)


def test_a_timed_router_routes_as_the_router_does():
    each = work.cell("engine=scripted", "peers=4", "limit=2")
    method, timed = work.with_timed_router(each)

    async def both():
        engine = await ScriptedSettings(max_model_len=2048).start("none")
        return await work.solved(each, engine), await work.solved(each, engine, method)

    (plain, _), (watched, _) = asyncio.run(both())
    assert [path.routes for path in plain] == [path.routes for path in watched]
    assert timed.seconds > 0


@pytest.mark.parametrize("peers", [2, 5])
def test_routing_and_the_journal_take_time(tmp_path, peers):
    assert alone.routing_ms(peers) > 0
    assert alone.journal_ms(tmp_path, prompt=50, sampled=20) > 0
    assert not list(tmp_path.rglob("*.jsonl"))


def test_the_busy_process_is_there_for_the_block_alone():
    with alone.busy_process() as process:
        assert process.poll() is None
        used = [sum(psutil.Process(process.pid).cpu_times()[:2])]
        while used[-1] < 0.05:
            used.append(sum(psutil.Process(process.pid).cpu_times()[:2]))
    assert process.poll() is not None
