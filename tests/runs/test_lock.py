"""Locks of run folders: a second process waits or is told, a killed one lets go, and no two wait for each other."""

import errno
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leap_lab.runs.lock import Busy, take

HOLD = """
import sys, time
from pathlib import Path
from leap_lab.runs.lock import take
held = [take(Path(name)) for name in sys.argv[1:]]
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds `a`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_it_until_that_one_is_killed(tmp_path, holder):
    with pytest.raises(Busy, match=f"{tmp_path} is being written by process {holder.pid}") as refused:
        take(tmp_path / "a")
    assert "\n" not in str(refused.value)
    holder.kill()
    holder.wait()
    take(tmp_path / "a").release()


def free(file: Path) -> bool:
    """Whether another process could take it at once."""
    code = "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    return subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True).returncode == 0


def test_a_process_takes_a_lock_twice_and_has_to_release_it_twice(tmp_path):
    first, second = take(tmp_path / "a"), take(tmp_path / ".." / tmp_path.name / "a")
    first.release()
    assert not free(tmp_path / "a")
    second.release()
    assert free(tmp_path / "a")
    assert (tmp_path / "a").read_text() == f"{os.getpid()}\n"


def test_a_lock_that_is_forgotten_is_free(tmp_path):
    lock = take(tmp_path / "a")
    assert not free(tmp_path / "a")
    del lock
    gc.collect()
    assert free(tmp_path / "a")


def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    lock = take(tmp_path / "a")
    to_child, from_child = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(from_child[1], b"x")
        os.read(to_child[0], 1)
        os._exit(0)
    os.read(from_child[0], 1)  # it runs: what it does at a fork is done
    lock.release()
    alone = free(tmp_path / "a")
    os.write(to_child[1], b"x")
    os.waitpid(child, 0)
    assert alone


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_and_used(tmp_path, caplog, number):
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    take(tmp_path / "a", flock).release()
    assert "this file system has no locks" in caplog.text
