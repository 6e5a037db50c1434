"""The event loop of a command, in a script, in async code or in Jupyter, where another loop runs in this thread."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines to their end, one at a time; what they leave open, such as an engine, lives until `close`.

    Where this thread runs a loop already, the coroutines run in a thread of their own, and the caller waits. Ctrl-C
    cancels what is running either way.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._thread = _Thread(self._runner) if _is_running() else None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the coroutine, or what it raises."""
        return self._thread.run(work) if self._thread else self._runner.run(work)

    def close(self) -> None:
        """End the loop. No coroutine may follow."""
        if self._thread:
            self._thread.close()
        self._runner.close()


class _Thread:
    """A thread with a loop of its own."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._loop = runner.get_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result()
        except KeyboardInterrupt:
            done.cancel()
            self._wait_for_the_end()
            raise

    def _wait_for_the_end(self) -> None:
        """The tasks of what was cancelled write down how far they came."""

        async def others() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(left) if left else None

        with contextlib.suppress(KeyboardInterrupt):  # a second one stops waiting
            asyncio.run_coroutine_threadsafe(others(), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
