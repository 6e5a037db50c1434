"""Runs that share an engine: what is decoded when, who waits for whom, and that nobody's results change."""

import asyncio
import fcntl
import json
import os
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from leap_lab import api
from leap_lab.benchmarks import work
from leap_lab.builtin.reasoner import ScriptedSettings
from leap_lab.decoding import scheduler
from leap_lab.decoding.decoder import Decoder
from leap_lab.decoding.scheduler import Scheduler
from leap_lab.engines.base import Completion, Engine, EngineDied, EngineWrapper, Request
from leap_lab.engines.metered import Metered
from leap_lab.errors import UserError
from leap_lab.runs.lock import Busy, take
from tests.commands import SMALL, run, run_folders, table_of

SWEEP = ["-m", "router=clustered,random", *SMALL, "limit=2"]


class Fake:
    """A run of so many jobs, which notes what happens to it."""

    def __init__(self, name: str, jobs: int, seen: list[str], busy: int = 0, dies: bool = False) -> None:
        self.name = self.label = name
        self.left, self.seen, self.busy, self.dies, self.in_flight = jobs, seen, busy, dies, 0

    def open(self) -> bool:
        if self.busy:
            self.busy -= 1
            raise Busy(f"{self.name} is being written by process 7")
        self.seen.append(f"open {self.name}")
        return self.left > 0

    def start(self, engine: object) -> None:
        self.seen.append(f"start {self.name}")

    def next(self, priority: int) -> int | None:
        if not self.left:
            return None
        self.left -= 1
        self.in_flight += 1
        return priority

    async def decode(self, job: int) -> None:
        self.seen.append(f"{self.name}{job}")
        await asyncio.sleep(0.01)
        if self.dies:
            raise EngineDied("gone")
        self.in_flight -= 1

    @property
    def is_done(self) -> bool:
        return not self.left and not self.in_flight

    def close(self) -> None:
        self.seen.append(f"close {self.name}")


def scheduled(concurrency: int, *runs: Fake) -> None:
    async def engine() -> str:
        runs[0].seen.append("engine")
        return "engine"

    asyncio.run(Scheduler(runs, engine, concurrency).run())


def test_the_next_run_fills_the_tail_of_the_one_before():
    seen: list[str] = []
    scheduled(2, Fake("a", 3, seen), Fake("b", 2, seen))
    assert seen.index("open b") < seen.index("close a")
    assert [each for each in seen if each[1:].isdigit()] == ["a0", "a1", "a2", "b3", "b4"]
    assert seen[-1] == "close b" and seen.count("close a") == 1


def test_few_runs_are_open_at_a_time():
    seen: list[str] = []
    scheduled(2, *(Fake(name, 2, seen) for name in "abcdefgh"))
    states = [each for each in seen if each.startswith(("open", "close"))]
    open_at_once = [sum(1 if each.startswith("open") else -1 for each in states[: end + 1]) for end in range(16)]
    assert max(open_at_once) <= 3 and open_at_once[-1] == 0


def test_a_run_that_is_whole_starts_no_engine_and_is_closed():
    seen: list[str] = []
    scheduled(2, Fake("a", 0, seen))
    assert seen == ["open a", "close a"]


def test_a_busy_run_is_waited_for_while_the_others_go_on(monkeypatch, caplog):
    monkeypatch.setattr(scheduler, "POLL_S", 0.01)
    seen: list[str] = []
    scheduled(1, Fake("a", 1, seen, busy=4), Fake("b", 1, seen))
    assert [each for each in seen if each.startswith("open")] == ["open b", "open a"]
    assert [record.message for record in caplog.records] == [
        "a is being written by process 7: waiting for it to end; Ctrl-C stops waiting"
    ]


def test_a_dead_engine_ends_everything_and_closes_what_is_open():
    seen: list[str] = []
    with pytest.raises(EngineDied, match="gone"):
        scheduled(1, Fake("a", 1, seen, dies=True), Fake("b", 1, seen))
    assert seen[-1] == "close a" and "open b" not in seen


def test_a_run_that_cannot_be_closed_keeps_no_other_from_it_and_hides_no_cause(caplog):
    seen: list[str] = []

    class Full(Fake):
        def close(self) -> None:
            super().close()
            raise OSError(28, "No space left on device")

    with pytest.raises(EngineDied, match="gone"):
        scheduled(2, Full("a", 1, seen, dies=True), Full("b", 1, seen, dies=True))
    assert {"close a", "close b"} <= set(seen)
    assert caplog.text.count("No space left") == 2


def test_a_run_whose_engine_does_not_start_is_closed():
    seen: list[str] = []

    async def broken() -> str:
        raise UserError("model.path=x: cannot be loaded")

    with pytest.raises(UserError, match="cannot be loaded"):
        asyncio.run(Scheduler([Fake("a", 1, seen)], broken, 2).run())
    assert seen == ["open a", "close a"]


class Stuck(EngineWrapper):
    """Answers so many requests, then none: it hangs, or it dies."""

    def __init__(self, inner: Engine, requests: int, dies: bool) -> None:
        super().__init__(inner)
        self.left, self.dies, self.stuck = requests, dies, asyncio.Event()

    async def generate(self, request: Request) -> Completion:
        if self.left:
            self.left -= 1
            return await super().generate(request)
        self.stuck.set()
        if self.dies:
            raise EngineDied("gone")
        return await asyncio.Event().wait()


@pytest.mark.parametrize("dies, ends", [(False, asyncio.CancelledError), (True, EngineDied)])
def test_a_run_that_ends_with_all_its_groups_in_flight_is_not_finished(tmp_path, dies, ends):
    each = work.cell("engine=scripted", "peers=4", "limit=3")
    decoder = Decoder(work.wanted_run(each, tmp_path), "run", None, api.summarize)

    async def stopped() -> None:
        stuck = Stuck(await ScriptedSettings(max_model_len=2048).start("none"), 40, dies)

        async def ready() -> Metered:
            return Metered(stuck)

        running = asyncio.create_task(Scheduler([decoder], ready, 3).run())
        await stuck.stuck.wait()
        await asyncio.sleep(0.5)  # until the others hang, too, and what was whole is written
        running.cancel()
        with pytest.raises(ends):
            await running

    asyncio.run(stopped())
    folder = decoder.folder.path
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert len(list(folder.glob("groups/*.parquet"))) < 3 and not (folder / "metrics.json").exists()
    assert list(folder.glob("journal/*.jsonl"))
    take(folder / ".lock").release()


def rows(runs: Path) -> pd.DataFrame:
    """All paths of all runs, without their times."""
    found = pd.concat(pd.read_parquet(file) for file in sorted(runs.glob("*/groups/*.parquet")))
    return found.drop(columns=["started_s", "finished_s"]).map(str).reset_index(drop=True)


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_every_launcher_finds_what_the_shared_one_finds(tmp_path, capsys, launcher):
    status, shared, err = run(capsys, *SWEEP, f"runs_dir={tmp_path / 'shared'}")
    assert status == 0, err
    assert err.count("starting the engine") == 1
    status, other, err = run(capsys, *SWEEP, f"hydra/launcher={launcher}", f"runs_dir={tmp_path / launcher}")
    assert status == 0, err
    assert table_of(other) == table_of(shared)
    assert rows(tmp_path / launcher).equals(rows(tmp_path / "shared"))
    assert {folder.name for folder in run_folders(tmp_path / launcher)} == {
        folder.name for folder in run_folders(tmp_path / "shared")
    }


def test_what_a_job_elsewhere_did_not_decode_is_said(tmp_path, capsys):
    questions = tmp_path / "questions.jsonl"
    lines = [{"problem": "a=20+31\nWhat is a?", "answer": "51"}, {"problem": "no sum at all", "answer": "1"}]
    questions.write_text("\n".join(map(json.dumps, lines)))
    command = ["-m", "router=clustered,random", "dataset=local", f"dataset.path={questions}", "engine=scripted"]
    command += ["tracking=none", "baseline=false", "peers=2", "router.top_k=1", f"runs_dir={tmp_path / 'runs'}"]
    status, _, err = run(capsys, *command, "hydra/launcher=joblib")
    assert status == 1
    assert "failed: leap clustered-1: 1 groups are missing" in err and "failed: leap random-1" in err


def test_a_command_waits_for_another_one_and_decodes_nothing_twice(tmp_path, capsys, caplog):
    command = [*SMALL, "baseline=false", f"runs_dir={tmp_path}"]
    run(capsys, *command)
    (folder,) = run_folders(tmp_path)
    descriptor = os.open(folder / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def let_go_when_waited_for() -> None:
        deadline = time.monotonic() + 120
        while "waiting for it to end" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
        os.close(descriptor)

    other = threading.Thread(target=let_go_when_waited_for)
    other.start()
    status, _, err = run(capsys, *command)
    other.join()
    assert status == 0 and "nothing to decode" in err
    assert caplog.text.count(f"{folder} is being written by") == 1 and "Ctrl-C stops waiting" in caplog.text


def test_cells_that_differ_in_what_is_swept_have_names_that_differ(tmp_path, capsys):
    _, _, err = run(capsys, "-m", "method.interval=48,64", *SMALL, "baseline=false", f"runs_dir={tmp_path}")
    assert "leap dispersed-4 method.interval=48: 3/3" in err and "leap dispersed-4 method.interval=64: 3/3" in err
