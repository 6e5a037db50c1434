"""`make soak`: for SOAK_MINUTES, kills, signals, full disks, damaged files and second commands on one small sweep.

Whatever happened, the next undisturbed command must end with the rows (without times) and the table of a sweep that
nothing ever touched, and no command may end in a traceback. Exit status 1 at the first that does not.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd

SWEEP = ["-m", "router=clustered,random", "engine=scripted", "tracking=none", "peers=4", "router.top_k=2", "limit=12"]
STATUSES = {
    0,
    1,
    130,
    143,
    -signal.SIGKILL,
    -signal.SIGINT,
    -signal.SIGTERM,
}  # the last two: while Python itself starts
UP_TO_S = 12.0  # into a command a signal may strike


def start(runs: Path, prepare: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    def prepared() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prepare is not None:
            prepare()

    command = [sys.executable, "-m", "leap_lab.run", *SWEEP, f"runs_dir={runs}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, preexec_fn=prepared, **pipes)


def ended(command: "subprocess.Popen[str]", fault: str) -> str:
    """What a command printed; the soak ends where it ended in a way that no user should see."""
    out, err = command.communicate(timeout=600)
    if command.returncode not in STATUSES or ("Traceback" in err and command.returncode >= 0):
        sys.exit(f"FAILED after {fault}: status {command.returncode}\n{err}")
    return out


def strike(runs: Path, number: signal.Signals, rng: random.Random) -> None:
    command = start(runs)
    time.sleep(rng.uniform(0.3, UP_TO_S))
    command.send_signal(number)
    ended(command, number.name)


def two_at_once(runs: Path, rng: random.Random) -> None:
    """One of two commands is killed."""
    commands = [start(runs), start(runs)]
    time.sleep(rng.uniform(0.3, UP_TO_S))
    rng.choice(commands).kill()
    for command in commands:
        ended(command, "two at once")


def full_disk(runs: Path, rng: random.Random) -> None:
    size = int(10 ** rng.uniform(2, 5))
    ended(start(runs, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))), f"a disk with room for {size}")


def damage(runs: Path, rng: random.Random) -> None:
    """Spoil some group files: cut, flip a byte, empty, or put another file in its place."""
    files = sorted(runs.glob("*/groups/*.parquet"))
    for file in rng.sample(files, min(len(files), 3)):
        data = bytearray(file.read_bytes())
        place = rng.randrange(max(1, len(data)))
        flipped = data[:place] + bytes(255 - byte for byte in data[place : place + 1]) + data[place + 1 :]
        file.write_bytes(rng.choice([data[:place], flipped, b"", rng.choice(files).read_bytes()]))


FAULTS: dict[str, Callable[[Path, random.Random], None]] = {
    "SIGKILL": lambda runs, rng: strike(runs, signal.SIGKILL, rng),
    "SIGTERM": lambda runs, rng: strike(runs, signal.SIGTERM, rng),
    "SIGINT": lambda runs, rng: strike(runs, signal.SIGINT, rng),
    "two at once": two_at_once,
    "full disk": full_disk,
    "damage": damage,
}


def result(runs: Path, fault: str) -> tuple[str, pd.DataFrame]:
    """Table and rows, without times, of a command that nothing disturbs."""
    command = start(runs)
    out = ended(command, fault)
    if command.returncode != 0:
        sys.exit(f"FAILED: an undisturbed command after {fault} ended with {command.returncode}")
    rows = pd.concat(pd.read_parquet(file) for file in sorted(runs.glob("*/groups/*.parquet")))
    return out.partition("\nreport:")[0], rows.drop(columns=["started_s", "finished_s"]).map(str).reset_index(drop=True)


def soak(home: Path, minutes: float, seed: int) -> Counter[str]:
    """Rounds of one to four faults and a comparison, until the time is up; returns how many of each there were."""
    rng, counts = random.Random(seed), Counter[str]()
    table, rows = result(home / "undisturbed", "nothing")
    runs, end = home / "runs", time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        faults = rng.choices(list(FAULTS), k=rng.randint(1, 4))
        for fault in faults:
            FAULTS[fault](runs, rng)
            counts[fault] += 1
        found = result(runs, ", ".join(faults))
        if found[0] != table or not found[1].equals(rows):
            sys.exit(f"FAILED: after {', '.join(faults)} the result differs; see {runs}")
        counts["comparisons"] += 1
        print(f"{max(0.0, end - time.monotonic()) / 60:5.1f} min left, the same after {', '.join(faults)}", flush=True)
        if rng.random() < 0.5:
            shutil.rmtree(runs)
    return counts


if __name__ == "__main__":
    seed = int(os.environ.get("SOAK_SEED", time.time()))
    print(f"SOAK_SEED={seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="leap_lab-soak-"))
    told = soak(folder, float(os.environ.get("SOAK_MINUTES", 10)), seed)
    shutil.rmtree(folder)
    compared = told.pop("comparisons")
    print(f"{sum(told.values())} faults ({', '.join(f'{n} {name}' for name, n in sorted(told.items()))}),")
    print(f"{compared} comparisons with an undisturbed sweep, all the same")
