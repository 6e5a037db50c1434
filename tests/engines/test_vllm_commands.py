"""Real vLLM on the CPU with the built-in model: commands as a user types them, and as they are stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import psutil

from tests.doubles import as_in_a_terminal


def command(*arguments: str, runs: Path) -> list[str]:
    return [sys.executable, "-m", "leap_lab.run", *arguments, f"runs_dir={runs}"]


def environment() -> dict[str, str]:
    """Without any key, as on a new machine."""
    return {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}


def call(line: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment(), timeout=500)


def test_a_plain_script_needs_no_guard_around_its_calls(tmp_path):
    """The engine's processes are spawned, and must not run the script again."""
    script = tmp_path / "script.py"
    question = "a=38+51\\nb=a-12\\nWhat is b?"
    script.write_text(f'import leap_lab\n\nprint(len(leap_lab.solve("{question}", "peers=2")), __file__)\n')
    ran = call([sys.executable, str(script)])
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["2", str(script)]


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
