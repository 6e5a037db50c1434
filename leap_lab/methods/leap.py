"""Learning from Peers (Section 3): think, summarize, route, comment, and think on."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.exchange.audience import audience_of, check_router
from leap_lab.methods.exchange.block import Exchange
from leap_lab.methods.exchange.rounds import in_rounds
from leap_lab.methods.exchange.schedules import EveryBlock, Novelty, Schedule, check_novelty
from leap_lab.methods.exchange.settings import Exchanging
from leap_lab.methods.exchange.virtual_time import without_waiting
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.prompts import SUMMARY_CLOSE
from leap_lab.routing import Pooled, Router

SCHEDULES = ("interval", "novelty")


@dataclass(frozen=True)
class Leap(Exchanging):
    """Every `interval` own tokens (T) a path stops for a LeaP block.

    `max_tokens` is a path's own budget (thinking and summaries, including what is cut), `summary_tokens` the
    longest summary, `answer_tokens` the room for a forced answer. `probe_tokens`: see `Exchange`. With `schedule`
    novelty, paths hear each other in the phases of CPT (`schedules.Novelty`), which `novelty_start` and `novelty_stop`
    bound. Without `barrier` no path waits for others at a block (`virtual_time`).
    """

    interval: int
    summary_tokens: int
    router: Router
    probe_tokens: int | None = None
    schedule: str = "interval"
    novelty_start: float = 0.4
    novelty_stop: float = 0.1
    barrier: bool = True

    later: ClassVar[tuple[str, ...]] = (*Exchanging.later, "schedule", "barrier")

    def check(self, peers: int, context: int) -> None:
        """A summary must fit between two blocks, and a block the budget."""
        super().check(peers, context)
        checks.integer("method.interval", self.interval, 1)
        checks.integer("method.summary_tokens", self.summary_tokens, 1)
        if self.interval < self.summary_tokens:
            raise UserError(
                f"method.interval={self.interval}: shorter than a summary; must be >= "
                f"method.summary_tokens={self.summary_tokens} (up to {SUMMARY_CLOSE})"
            )
        if self.max_tokens < self.interval:
            raise UserError(
                f"method.interval={self.interval}: no block fits; must be <= method.max_tokens={self.max_tokens}"
            )
        self._check_schedule()

    def _check_schedule(self) -> None:
        check_router(self.router)
        checks.one_of("method.schedule", self.schedule, SCHEDULES)
        checks.boolean("method.barrier", self.barrier)
        if self.schedule == "novelty":
            check_novelty(self.novelty_start, self.novelty_stop)
            if not self.barrier:
                raise UserError("method.barrier=false: no block is common to all, as method.schedule=novelty needs it")
        if not self.barrier and isinstance(self.router, Pooled):
            raise UserError("method.barrier=false: a pool is filled block by block; choose another router than pool")

    @property
    def unread(self) -> Collection[str]:
        """The bounds of novelty where it does not decide."""
        bounds = () if self.schedule == "novelty" else ("novelty_start", "novelty_stop")
        return [*super().unread, *bounds]

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that exchange what they found until each has answered."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        async with asyncio.TaskGroup() as endings:
            told_as = self.told_as(self.summary_tokens, self.router)
            exchange = Exchange(writer, self.router, self.summary_tokens, endings, (), self.probe_tokens, told_as)
            audience = audience_of(self.router, exchange, counts=self.schedule == "novelty")
            if self.barrier:
                await in_rounds(exchange, paths, self.interval, audience, self._schedule)
            else:
                await without_waiting(exchange, paths, self.interval, audience)
        return paths

    @property
    def _schedule(self) -> Schedule:
        """The schedule of one group."""
        return Novelty(self.novelty_start, self.novelty_stop) if self.schedule == "novelty" else EveryBlock()
