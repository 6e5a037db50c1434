"""A process that computes, and that can be stopped.

A sum of a million terms takes minutes, and math-verify's time-outs use signals, which never fire off the main thread.
So a worker compares, and when it runs out of time or memory it dies and the answer counts as not equal. The worker is a
plain subprocess: it neither imports the caller's main module nor needs one that can be imported.
"""

import atexit
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

WORKER = Path(__file__).with_name("math_worker.py")
SECONDS = 5.0  # of processor time for one comparison, so that a busy machine grades as an idle one does
TRIES = 2  # a worker that somebody else killed says nothing about the answer
OWN_DEATHS = {-signal.SIGPROF, -signal.SIGALRM, -signal.SIGABRT, -signal.SIGSEGV}  # of time, memory or stack


class Checker:
    """Asks the worker; starts it at the first question, and again after it died. Safe to call from any thread."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def equal(self, answer: str, gold: str) -> bool:
        """Whether the two are equal; False when the worker cannot tell within its seconds.

        `RuntimeError` when there is no math-verify to ask.
        """
        question = json.dumps([gold, answer, self._seconds]).encode() + b"\n"
        with self._lock:
            for _ in range(TRIES):
                if reply := self._ask(question):
                    return reply == b"true\n"
                if self._stop() in OWN_DEATHS:
                    break
        return False

    def close(self) -> None:
        """Stop the worker; a later question starts another."""
        with self._lock:
            self._stop()

    def _ask(self, question: bytes) -> bytes:
        """The worker's reply, empty when it died over the question."""
        try:
            worker = self._worker or self._start()
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(question)
            return worker.stdout.readline()
        except BrokenPipeError:
            return b""
        except BaseException:  # Ctrl-C: the reply that is still to come must not meet the next question
            self._stop()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        worker = self._worker = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the caller's to handle
        )
        assert worker.stdout is not None
        if (first := worker.stdout.readline().decode().strip()) != "ready":
            raise RuntimeError(f"math-verify does not load: {first or 'its process died'}")
        return worker

    def _stop(self) -> int | None:
        """End the worker; its return code, minus the signal if it had died of one already."""
        if (worker := self._worker) is None:
            return None
        self._worker = None
        worker.kill()  # the dead keep the signal that they died of
        with worker:  # closes the pipes and waits
            pass
        return worker.returncode


CHECKER = Checker()
atexit.register(CHECKER.close)
