"""Measurements that need no engine: routing, the journal, start-up and memory."""

import asyncio
import os
import pathlib
import random
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from leap_lab.engines.base import Request
from leap_lab.engines.journaled import Journaled
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.path import Path
from leap_lab.routing import Dispersed, Speaker

SUMMARY = 1000  # characters, about 256 tokens of a large model
ENTRIES = 1000


def routing_ms(peers: int) -> float:
    """Milliseconds that one exchange of so many peers with long summaries takes."""
    rng = random.Random(peers)
    summaries = ["".join(rng.choices(string.ascii_lowercase + "     ", k=SUMMARY)) for _ in range(peers)]
    speakers = [Speaker(summary, Path(index, index)) for index, summary in enumerate(summaries)]
    router, times = Dispersed(4), []
    for _ in range(5):
        started = time.perf_counter()
        router.route(speakers, rng)
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def journal_ms(folder: pathlib.Path, prompt: int, sampled: int) -> float:
    """Milliseconds that the journal adds to a request of so many prompt and sampled tokens."""
    engine = ScriptedEngine(lambda text, request: "x" * sampled)
    requests = [Request(range(40, 40 + prompt), sampled, seed) for seed in range(ENTRIES)]
    journal = Journaled(engine, folder / "journal" / "q-0.jsonl")
    try:
        return _ms_each(requests, journal) - _ms_each(requests, engine)
    finally:
        journal.discard()


def _ms_each(requests: list[Request], engine: ScriptedEngine | Journaled) -> float:
    async def all_of_them() -> float:
        started = time.perf_counter()
        for request in requests:
            await engine.generate(request)
        return time.perf_counter() - started

    return 1000 * asyncio.run(all_of_them()) / len(requests)


@contextmanager
def busy_process() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that takes all that it can get of one core, until the block ends."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def start_s(*command: str) -> float:
    """Seconds until a command of this Python has ended; the best of three."""
    times = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        times.append(time.monotonic() - started)
    return min(times)


def peak_mib(runs: pathlib.Path, questions: int) -> float:
    """The most memory of a command that decodes so many questions with a program in the model's place."""
    command = ["-m", "leap_lab.run", "engine=scripted", "tracking=none", "baseline=false", "peers=4"]
    command += [f"limit={questions}", f"runs_dir={runs / str(questions)}"]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss / 1024
