"""One writer per run folder: a lock that the kernel drops when its process ends, however it ends.

Taking a lock never waits. Whoever gets `Busy` asks again later and meanwhile works on what it holds
(`scheduler.Scheduler`). So two sweeps that take the same runs in a different order cannot wait for each other for ever.
Reading needs no lock. Within a process a lock can be taken several times; it is free when all who took it are done.
"""

import errno
import fcntl
import logging
import os
import weakref
from collections.abc import Callable
from pathlib import Path

from leap_lab.errors import UserError

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)

log = logging.getLogger(__name__)
Flock = Callable[[int, int], None]


class Busy(UserError):
    """Another process writes this run."""


class Lock:
    """A lock that is held until `release`, or until nothing refers to it; `take` makes it."""

    def __init__(self, descriptor: int) -> None:
        self.takers = 1
        self.close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """To be called once by everyone who took it."""
        self.takers -= 1
        if self.takers == 0:
            self.close()


_held: "weakref.WeakValueDictionary[Path, Lock]" = weakref.WeakValueDictionary()


def take(file: Path, flock: Flock = fcntl.flock) -> Lock:
    """Lock this file; `Busy`, with its holder, where another process has it.

    The file is created if missing, holds the process id of its holder, and stays: if it were removed, two processes
    could hold two files of the same name.
    """
    file = file.resolve()
    mine = _held.get(file)
    if mine is not None and mine.close.alive:
        mine.takers += 1
        return mine
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    lock = Lock(descriptor)
    if not _locked(descriptor, file, flock):
        raise Busy(f"{file.parent} is being written by {_holder(descriptor)}")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    _held[file] = lock
    return lock


def _locked(descriptor: int, file: Path, flock: Flock) -> bool:
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        log.warning("%s: this file system has no locks; run only one command at a time on this run", file.parent)
    return True


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).strip()
    return f"process {pid.decode()}" if pid.isdigit() else "another process"


def _leave_to_parent() -> None:
    """In a forked child: it shares the parent's locks and would keep them when the parent is gone."""
    for lock in list(_held.values()):
        lock.close()


os.register_at_fork(after_in_child=_leave_to_parent)
