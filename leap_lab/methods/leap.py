"""Learning from Peers (Section 3): think, summarize, route, comment, and think on."""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.exchange import Exchange
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.prompts import SUMMARY_CLOSE
from leap_lab.routing import Router


@dataclass(frozen=True)
class Leap(Method):
    """Every `interval` own tokens (T) a path stops for a LeaP block.

    `max_tokens` is a path's own budget (thinking and summaries, including what is cut), `summary_tokens` the
    longest summary, `answer_tokens` the room for a forced answer. `probe_tokens`: see `Exchange`.
    """

    interval: int
    summary_tokens: int
    router: Router
    probe_tokens: int | None = None

    routed: ClassVar[bool] = True
    probed: ClassVar[bool] = True

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

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that exchange summaries until each has answered."""
        writer = self.writer(job, engine)
        paths = live = writer.begin()
        async with asyncio.TaskGroup() as endings:
            exchange = Exchange(writer, self.router, self.summary_tokens, endings, (), self.probe_tokens)
            for turn in count():
                summaries = await exchange.summaries(live, turn, self.interval)
                if not summaries:
                    break
                routes = exchange.routes(turn, live, summaries)
                live = exchange.comment(live, turn, routes, summaries)
        return paths
