"""One writer a run folder: a lock that the kernel drops when its process ends, however it ends.

A process that holds no lock waits for one. A process that holds some does not: two sweeps that meet the same runs in
another order would wait for each other for ever. It gets `Busy`, finishes and closes what it holds, and asks again.
Reading needs no lock. Within a process a lock can be taken again, and is free when all who took it are done.
"""

import errno
import fcntl
import logging
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from leap_lab.errors import UserError

POLL_S = 0.2  # between two tries; asleep, the process sees Ctrl-C and SIGTERM at once
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)

log = logging.getLogger(__name__)
Flock = Callable[[int, int], None]


class Busy(UserError):
    """Another process writes this run, and this one must not wait as it holds others."""


class Lock:
    """A lock that is held until `release`, or until nothing refers to it; `take` makes it."""

    def __init__(self, descriptor: int) -> None:
        self.takers = 1
        self.close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """One of those who took it is done."""
        self.takers -= 1
        if self.takers == 0:
            self.close()


_held: "weakref.WeakValueDictionary[Path, Lock]" = weakref.WeakValueDictionary()


def take(file: Path, flock: Flock = fcntl.flock) -> Lock:
    """Lock this file, waiting where another process holds it; `Busy` where this one holds others and would wait.

    The file is made where it is missing, holds the process id of its holder, and stays: removing it would let two
    processes hold two files of one name. To be called in the main thread, which gets the signals.
    """
    file = file.resolve()
    mine = _held.get(file)
    if mine is not None and mine.close.alive:
        mine.takers += 1
        return mine
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    lock = Lock(descriptor)
    _wait(descriptor, file, flock)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    _held[file] = lock
    return lock


def _wait(descriptor: int, file: Path, flock: Flock) -> None:
    told = False
    while not _locked(descriptor, file, flock):
        holder = f"{file.parent} is being written by {_holder(descriptor)}"
        if any(lock.close.alive for lock in _held.values()):
            raise Busy(f"{holder}; run the same command again when that has ended")
        if not told:
            log.warning("%s: waiting for it to end; Ctrl-C stops waiting", holder)
        told = True
        time.sleep(POLL_S)


def _locked(descriptor: int, file: Path, flock: Flock) -> bool:
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        log.warning("%s: no locks on this file system; run one command at a time on this run", file.parent)
    return True


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).strip()
    return f"process {pid.decode()}" if pid.isdigit() else "another process"


def _leave_to_parent() -> None:
    """In a forked child: it shares the parent's locks and would keep them when the parent is gone."""
    for lock in list(_held.values()):
        lock.close()


os.register_at_fork(after_in_child=_leave_to_parent)
