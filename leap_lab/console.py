"""What every command owes its user: errors in one line, clean stops, and output that may break without costing results.

It imports nothing heavy, so it is in place before anything slow, such as the import of pandas.
"""

import argparse
import errno
import io
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import leap_lab
from leap_lab.errors import UserError, one_line

GRACE_S = 9.0  # from a signal to the end, whatever hangs
STOPS = (signal.SIGTERM, signal.SIGHUP)  # beside SIGINT, which Python and asyncio know how to handle
OVER = b"\0"  # the number of no signal
STREAMS = ("stdout", "stderr")
OURS = ("leap_lab", "leap-lab", "analysis")  # what the names of our commands begin with


def run(command: Callable[[], int], kept: str, grace_s: float = GRACE_S) -> int:
    """The exit status of a command: its own, 2 for a `UserError`, 1 for a disk that is full or read-only.

    Ctrl-C, SIGTERM and SIGHUP end it with 128 + their number, after `grace_s` seconds at the latest. `kept` says what
    is kept and how to resume. Output that nobody reads any more is dropped; any other loss of stdout is an error.
    """
    prefer_installed()
    with _lasting_streams() as lost, _stoppable(kept, grace_s) as received:
        try:
            status = command()
        except UserError as error:
            status = _said(2, f"error: {one_line(error)}")
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            status = _said(1, f"error: {where}{error.strerror or error}; {kept}")
        except (KeyboardInterrupt, Exception) as error:
            if not _interrupted(error):
                raise
            status = _said(128 + received[-1], f"\nstopped: {kept}")
        if loss := lost():
            status = status or _said(1, f"error: standard output: {loss.strerror}; all files are written")
    return status


def prefer_installed() -> None:
    """Move the working directory to the end of the module search path, in a process that runs one of our commands.

    `python -m` puts it first, where a user's `analysis.py`, `conf/` or `datasets.py` would hide what is installed.
    A user's own routers and methods are still found there.
    """
    name = getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", "") or Path(sys.argv[0]).name
    if sys.flags.safe_path or not name.startswith(OURS):
        return
    here = os.getcwd()
    sys.path[:] = [*(place for place in sys.path if place not in ("", here)), here]


def version() -> str:
    """What --version prints."""
    return f"leap_lab {leap_lab.__version__}"


class Parser(argparse.ArgumentParser):
    """The parser of a command and of its subcommands: each of them has --version."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_argument("--version", action="version", version=version(), help="print the version")


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error is or comes from an interrupt: one during Hydra's clean-up ends in an error of Hydra's."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _said(status: int, line: str) -> int:
    print(line, file=sys.stderr, flush=True)
    return status


@contextmanager
def _stoppable(kept: str, grace_s: float) -> Iterator[list[int]]:
    """The signals received, SIGINT before any: SIGTERM and, unless it is ignored, SIGHUP stop as Ctrl-C does."""
    received: list[int] = [signal.SIGINT]
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def stop(number: int, frame: Any) -> None:
        received.append(number)
        interrupt = signal.getsignal(signal.SIGINT)  # of asyncio while a loop runs: it cancels what is going on
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    before = {number: signal.signal(number, stop) for number in STOPS if signal.getsignal(number) is signal.SIG_DFL}
    try:
        with (
            _interruptible(),
            _deadline({signal.SIGINT, *before}, kept, grace_s),
        ):  # its thread must keep SIGINT out, too
            yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Where SIGINT is ignored, as in a shell's background: keep it out, but leave asyncio its handler, for `stop`."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _deadline(numbers: set[int], kept: str, grace_s: float) -> Iterator[None]:
    """End the process `grace_s` after the first of these signals, even where the main thread hangs."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)  # a byte, the number, for every signal
    watcher = threading.Thread(target=_watch, args=(reading, numbers, kept, grace_s), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, OVER)  # closing would not do: a forked child may hold the other end
        watcher.join()
        os.close(writing)
        os.close(reading)


def _watch(reading: int, numbers: set[int], kept: str, grace_s: float) -> None:
    first, end = 0, None
    while True:
        ready, _, _ = select.select([reading], [], [], None if end is None else max(0.0, end - time.monotonic()))
        if not ready:
            _said(0, f"\nstopped: {kept}")
            for child in multiprocessing.active_children():
                child.kill()
            os._exit(128 + first)
        received = os.read(reading, 1)
        if received == OVER:
            return
        if end is None and received[0] in numbers:
            first, end = received[0], time.monotonic() + grace_s


class _Lasting(io.FileIO):
    """A standard stream that takes all that is written when nobody reads it any more or its disk is full."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.lost = self.lost or error
            return memoryview(data).nbytes


@contextmanager
def _lasting_streams() -> Iterator[Callable[[], OSError | None]]:
    """Standard streams whose writes never fail; yields a function that says why stdout lost something, if it did."""
    _open_descriptors()
    before = {name: getattr(sys, name) for name in STREAMS}
    for descriptor, name in enumerate(STREAMS, start=1):
        setattr(sys, name, _lasting(before[name], name, descriptor))

    def lost() -> OSError | None:
        sys.stdout.flush()
        raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
        error = raw.lost if isinstance(raw, _Lasting) else None
        return None if error is None or error.errno == errno.EPIPE else error

    try:
        yield lost
    finally:
        for name in STREAMS:
            getattr(sys, name).flush()
            setattr(sys, name, before[name])


def _lasting(stream: Any, name: str, descriptor: int) -> Any:
    """Such a stream in place of Python's own; a stream that someone else installed stays."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if stream is not getattr(sys, f"__{name}__"):
        return stream
    raw = io.BufferedWriter(_Lasting(descriptor, "w", closefd=False))
    # A console that cannot show a character must not cost the table.
    return io.TextIOWrapper(raw, stream.encoding, errors="replace", line_buffering=stream.line_buffering)


def _open_descriptors() -> None:
    """A closed standard stream would give its number to the next file opened, and stray output would end up there."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
