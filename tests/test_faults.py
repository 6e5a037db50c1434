"""Faults at the command line: kills, signals, two commands at once, closed outputs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import leap_lab
from analysis.load import load
from leap_lab import console
from tests.commands import ALONE, group_files, rows_of, table_of
from tests.doubles import as_in_a_terminal

LONG = [*ALONE, "limit=1000"]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command in a process of its own, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **more: Any) -> "subprocess.Popen[str]":
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        settings |= {"preexec_fn": as_in_a_terminal, **more}
        started.append(subprocess.Popen([sys.executable, "-m", "leap_lab.run", *arguments], **settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def pause(process: "subprocess.Popen[str]") -> None:
    """Stop a process where it is; it has stopped when this returns."""
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def test_a_second_command_waits_and_goes_on_when_the_first_is_killed(tmp_path, start):
    """kill -9 at any moment; nothing is decoded twice, and the end is that of an undisturbed run."""
    command = [*ALONE, "limit=25"]
    first = start(*command, f"runs_dir={tmp_path / 'runs'}")
    wait_for(lambda: len(group_files(tmp_path / "runs")) >= 3)
    pause(first)
    kept = group_files(tmp_path / "runs")
    second = start(*command, f"runs_dir={tmp_path / 'runs'}")
    assert second.stderr is not None
    told = second.stderr.readline()
    assert f"is being written by process {first.pid}: waiting for it to end; Ctrl-C stops waiting" in told
    assert group_files(tmp_path / "runs") == kept
    first.kill()
    first.communicate()
    out, err = second.communicate(timeout=500)
    assert second.returncode == 0, err
    assert kept.items() <= group_files(tmp_path / "runs").items()
    undisturbed = start(*command, f"runs_dir={tmp_path / 'other'}")
    expected, _ = undisturbed.communicate(timeout=500)
    assert table_of(out) == table_of(expected)
    assert rows_of(tmp_path / "runs").equals(rows_of(tmp_path / "other"))


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_while_decoding_keeps_what_is_finished(tmp_path, start, number, status):
    command = start(*LONG, f"runs_dir={tmp_path}")
    wait_for(lambda: len(group_files(tmp_path)) >= 2)
    asked = time.monotonic()
    command.send_signal(number)
    _, err = command.communicate(timeout=60)
    assert time.monotonic() - asked < 10
    assert command.returncode == status
    assert err.endswith("stopped: finished groups are kept; rerun the same command to resume\n")
    assert "Traceback" not in err
    (told,) = tmp_path.glob("*/run.json")
    assert json.loads(told.read_text())["status"] == "interrupted"
    assert not list(tmp_path.rglob(".*.unfinished"))


def test_a_signal_while_waiting_for_another_command_ends_it_at_once(tmp_path, start):
    first = start(*LONG, f"runs_dir={tmp_path}")
    wait_for(lambda: len(group_files(tmp_path)) >= 1)
    pause(first)
    second = start(*LONG, f"runs_dir={tmp_path}")
    assert second.stderr is not None and "waiting" in second.stderr.readline()
    asked = time.monotonic()
    second.terminate()
    _, err = second.communicate(timeout=30)
    first.kill()
    first.communicate()
    assert second.returncode == 143 and "Traceback" not in err
    assert time.monotonic() - asked < 5


def test_a_background_command_that_ignores_ctrl_c_and_hang_ups_still_ends_at_sigterm(tmp_path, start):
    def in_the_background() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    command = start(*LONG, f"runs_dir={tmp_path}", preexec_fn=in_the_background)
    wait_for(lambda: len(group_files(tmp_path)) >= 2)
    command.send_signal(signal.SIGHUP)
    command.send_signal(signal.SIGINT)
    some = len(group_files(tmp_path))
    wait_for(lambda: len(group_files(tmp_path)) > some)
    command.terminate()
    _, err = command.communicate(timeout=20)
    assert command.returncode == 143 and "Traceback" not in err, err
    (told,) = tmp_path.glob("*/run.json")
    assert json.loads(told.read_text())["status"] == "interrupted"


CALLS = {
    "import": "from leap_lab.run import main; command = ['engine=scripted', 'tracking=none']",
    "analysis": "from analysis.__main__ import main; command = ['report', 'nowhere']",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("after_s", [0.02, 0.05, 0.2])
def test_ctrl_c_during_imports_is_no_traceback(tmp_path, call, after_s):
    code = f"import os, signal, sys, threading; {CALLS[call]}"
    code += f"; threading.Timer({after_s}, os.kill, (os.getpid(), signal.SIGINT)).start(); sys.exit(main(command))"
    settings = {"capture_output": True, "text": True, "cwd": tmp_path, "preexec_fn": as_in_a_terminal}
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | path, **settings)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr and "stopped: " in done.stderr


def test_an_error_in_the_clean_up_after_ctrl_c_is_no_traceback(capsys):
    def command(*, interrupted: bool) -> int:
        try:
            if interrupted:
                raise KeyboardInterrupt
        finally:
            raise UnboundLocalError("clean-up")

    assert console.run(lambda: command(interrupted=True), "all is kept") == 130
    assert capsys.readouterr().err == "\nstopped: all is kept\n"
    with pytest.raises(UnboundLocalError, match="clean-up"):
        console.run(lambda: command(interrupted=False), "all is kept")


def test_what_hangs_after_a_signal_is_ended(tmp_path):
    code = """
import sys, time
from leap_lab import console
def hang():
    print("ready", flush=True)
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            pass
sys.exit(console.run(hang, "all is kept", grace_s=0.5))
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = subprocess.Popen([sys.executable, "-c", code], **pipes)
    assert command.stdout is not None and command.stdout.readline() == "ready\n"
    command.terminate()
    _, err = command.communicate(timeout=10)
    assert command.returncode == 143 and "stopped: all is kept" in err


@pytest.mark.parametrize("shell", ["2>&1 | head -n 1 >/dev/null", "<&- >&- 2>&-", "2>/dev/full"])
def test_an_output_that_is_closed_or_broken_costs_no_result(tmp_path, shell):
    command = f"set -o pipefail; {sys.executable} -m leap_lab.run {' '.join(ALONE)} limit=2 runs_dir={tmp_path} {shell}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    (told,) = tmp_path.glob("*/run.json")
    assert json.loads(told.read_text())["status"] == "finished"
    assert len(list(tmp_path.glob("reports/*/figure.pdf"))) == 1
    assert len(load([told.parent])) == 8


def test_a_table_that_finds_no_room_is_an_error(tmp_path):
    command = f"{sys.executable} -m leap_lab.run {' '.join(ALONE)} limit=1 runs_dir={tmp_path} >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: standard output: No space left on device")
    assert len(list(tmp_path.glob("reports/*/figure.pdf"))) == 1


def test_a_run_folder_holds_no_keys_and_no_environment(tmp_path, start):
    marker = "f00dfeedc0ffee42" * 3
    runs = tmp_path / "runs"
    names = ("WANDB_API_KEY", "HF_TOKEN", "OPENAI_API_KEY", "SOMETHING_ELSE")
    environment = os.environ | dict.fromkeys(names, marker) | {"WANDB_MODE": "offline"}
    command = start(*ALONE[:1], *ALONE[2:], "limit=1", "tracking=wandb", f"runs_dir={runs}", env=environment)
    _, err = command.communicate(timeout=500)
    assert command.returncode == 0, err
    files = [file for file in runs.rglob("*") if file.is_file()]
    assert any(file.suffix == ".parquet" for file in files) and any("wandb" in file.parts for file in files)
    assert not [file for file in files if marker.encode() in file.read_bytes()]


@pytest.mark.parametrize("overrides, expected", [([], None), (["engine.trust_remote_code=true"], True)])
def test_code_of_a_model_is_trusted_only_where_that_is_set(overrides, expected):
    engine = leap_lab.cell(*overrides, "model=r1_7b").config["engine"]
    assert engine.get("trust_remote_code") is expected
