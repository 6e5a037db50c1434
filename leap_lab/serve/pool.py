"""How many groups are decoded at once, and how many may wait."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
MOST_WAIT_S = 60
LEARNING = 0.2  # how much the last group counts in the mean time of a group


class Full(RuntimeError):
    """There is no room for so many more; `wait_s`: seconds after which there may be."""

    def __init__(self, wait_s: int) -> None:
        super().__init__("too many requests are waiting")
        self.wait_s = wait_s


class Pool:
    """`places` are taken by what runs, and `queue` more may wait for one. Who waits longest comes first."""

    def __init__(self, places: int, queue: int) -> None:
        self.places, self.queue = places, queue
        self._free = asyncio.Semaphore(places)
        self.admitted, self.running = 0, 0
        self._mean_s = 1.0

    @property
    def waiting(self) -> int:
        return self.admitted - self.running

    def admit(self, count: int) -> None:
        """Make room for `count` more, all or none; raises `Full`. Each must be released."""
        if self.admitted + count > self.places + self.queue:
            rounds = (self.waiting + count) / self.places
            raise Full(min(max(math.ceil(rounds * self._mean_s), 1), MOST_WAIT_S))
        self.admitted += count

    def release(self, count: int) -> None:
        """`count` of those admitted are done, or will not come."""
        self.admitted -= count

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one of those admitted, when there is a place."""
        async with self._free:
            self.running += 1
            start = time.monotonic()
            try:
                return await work()
            finally:
                self.running -= 1
                self._mean_s += LEARNING * (time.monotonic() - start - self._mean_s)
