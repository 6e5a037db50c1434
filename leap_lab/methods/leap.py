"""Learning from Peers (Section 3): think, summarize, route, comment, and think on."""

import asyncio
from dataclasses import dataclass
from itertools import count

from leap_lab.engines.base import Engine, Sampling
from leap_lab.methods.base import Job
from leap_lab.methods.exchange import Exchange
from leap_lab.methods.writer import Writer
from leap_lab.path import Path
from leap_lab.prompts import Prompts
from leap_lab.routing import Router


@dataclass(frozen=True)
class Leap:
    """Every `interval` own tokens (T) a path stops for a LeaP block.

    `max_tokens` is a path's own budget (thinking and summaries, what is cut back included), `summary_tokens` the
    longest summary, `answer_tokens` the room for a forced answer. `probe_tokens`: see `Exchange`.
    """

    interval: int
    max_tokens: int
    summary_tokens: int
    answer_tokens: int
    sampling: Sampling
    prompts: Prompts
    router: Router
    probe_tokens: int | None = None

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that exchange summaries until each has answered."""
        writer = Writer(job, engine, self.prompts, self.sampling, self.max_tokens, self.answer_tokens)
        paths = live = writer.begin()
        async with asyncio.TaskGroup() as endings:
            exchange = Exchange(writer, self.router, self.summary_tokens, endings, (), self.probe_tokens)
            for turn in count():
                summaries = await exchange.summaries(live, turn, self.interval)
                if not summaries:
                    break
                routes = exchange.routes(turn, summaries)
                live = exchange.comment(live, turn, routes, summaries)
        return paths
