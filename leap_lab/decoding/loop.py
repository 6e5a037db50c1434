"""The event loop of a command, in a script, in async code or in Jupyter, where another loop runs in this thread."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines to their end, one at a time; what they leave open, such as an engine, stays until `close`.

    Where this thread already runs a loop, the coroutines run in another thread, and the caller waits. Either way Ctrl-C
    cancels what is running.
    """

    def __init__(self) -> None:
        self._home: _Here | _Thread = _Thread() if _is_running() else _Here()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the coroutine, or what it raises."""
        return self._home.run(work)

    def close(self) -> None:
        """End the loop. No coroutine may follow."""
        self._home.close()


class _Here:
    """A loop in this thread, where asyncio itself handles Ctrl-C."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self._runner.close()


class _Thread:
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _serve(self) -> None:
        asyncio.run(self._until_closed())

    async def _until_closed(self) -> None:
        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()
        self._kept = {asyncio.current_task()}
        self._ready.set()
        await self._closed.wait()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result()
        except KeyboardInterrupt:
            done.cancel()
            self._wait_for_the_rest()
            raise

    def _wait_for_the_rest(self) -> None:
        """Wait until cancelled tasks have recorded their progress; a second Ctrl-C stops waiting."""

        async def rest() -> None:
            home = asyncio.current_task()
            left = {task for task in asyncio.all_tasks() if task is not home and not task.done()} - self._kept
            if left:
                await asyncio.wait(left)

        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run_coroutine_threadsafe(rest(), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
