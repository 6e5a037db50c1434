"""How busy an engine is: how long it had requests, and how many at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from leap_lab.engines.base import Completion, Engine, EngineWrapper, Request


@dataclass(frozen=True)
class Reading:
    """What the meter showed at one moment: seconds, seconds with a request in flight, and request-seconds."""

    at: float = 0.0
    busy: float = 0.0
    area: float = 0.0

    def since(self, earlier: "Reading") -> dict[str, float]:
        """Between two readings: the share of time with a request in flight, and the mean number in flight."""
        seconds = max(self.at - earlier.at, 1e-9)
        return {
            "busy": round((self.busy - earlier.busy) / seconds, 4),
            "requests_in_flight": round((self.area - earlier.area) / seconds, 2),
        }


class Metered(EngineWrapper):
    """An engine that counts its requests in flight."""

    def __init__(self, inner: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inner)
        self._clock, self._in_flight, self._last = clock, 0, Reading(clock())

    def reading(self) -> Reading:
        """The meter now."""
        now, last = self._clock(), self._last
        seconds = now - last.at
        busy = last.busy + (seconds if self._in_flight else 0.0)
        self._last = Reading(now, busy, last.area + seconds * self._in_flight)
        return self._last

    async def generate(self, request: Request) -> Completion:
        self._count(1)
        try:
            return await super().generate(request)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.reading()
        self._in_flight += change
