"""Equality of mathematical answers by math-verify, in a process of its own that can be stopped.

math-verify's time-outs use signals, which never fire off the main thread, and an answer such as 9^{9^{9^9}} computes for
ever. So comparisons run in a worker: one that outlasts its time is killed, and the answer counts as not equal.
"""

import atexit
import multiprocessing
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

SECONDS = 5.0  # for one comparison
START_SECONDS = 120.0  # for the worker to import sympy on a busy machine


class Checker:
    """A worker process that compares; started at the first question, restarted after a time-out."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def equal(self, answer: str, gold: str) -> bool:
        """Whether math-verify takes the two for equal; False when it fails or takes longer than its seconds."""
        with self._lock:
            try:
                line = self._line or self._start()
                line.send((answer, gold))
                if line.poll(self._seconds):
                    return bool(line.recv())
            except (EOFError, OSError):
                pass
            self._stop()
            return False

    def close(self) -> None:
        """Stop the worker; a later question starts another."""
        with self._lock:
            self._stop()

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._line.poll(START_SECONDS):
            raise OSError("the comparing process did not start")
        self._line.recv()
        return self._line

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def _serve(line: Connection) -> None:
    """The worker: says that it is ready, then answers until the line closes."""
    import logging
    import signal

    from math_verify import parse, verify

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    logging.disable(logging.CRITICAL)
    line.send("ready")
    while True:
        try:
            answer, gold = line.recv()
        except (EOFError, OSError):
            return
        try:
            sides = [parse(f"${side}$", parsing_timeout=None) for side in (gold, answer)]
            line.send(all(sides) and verify(*sides, timeout_seconds=None))
        except Exception:  # whatever it cannot read is not equal
            line.send(False)


CHECKER = Checker()
atexit.register(CHECKER.close)
