"""LeaP-S, a single communication: one LeaP block, then each path continues alone (Tables 3 and 4, Figure 10)."""

import asyncio
from dataclasses import dataclass
from itertools import cycle

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.exchange.audience import audience_of, check_router
from leap_lab.methods.exchange.block import Exchange
from leap_lab.methods.exchange.settings import Exchanging
from leap_lab.methods.job import Job
from leap_lab.path import Path
from leap_lab.routing import Router


@dataclass(frozen=True)
class LeapS(Exchanging):
    """Every path stops once for a LeaP block, at `position` own tokens (T).

    With `helpers` (k) the last k paths of the group think, summarize and stop at the block; the other N - k hear only
    these helpers, through the router. One surviving path, as in Table 4, is N = k + 1. Only the survivors are returned,
    since a forced answer of a helper at T would count in Pass@1 and votes, which are about the survivors. The tokens of
    each helper are billed to one survivor (`Path.helpers`), in turn, so that a group's sum holds every token.

    `max_tokens` is a path's own budget (thinking and summary, including what is cut), `summary_tokens` the longest
    summary, `answer_tokens` the room for a forced answer.
    """

    position: int
    summary_tokens: int
    router: Router
    helpers: int | None = None
    probe_tokens: int | None = None

    def check(self, peers: int, context: int) -> None:
        """The block must fit the budget, with thinking after it, and at least one path must hear the helpers."""
        super().check(peers, context)
        checks.integer("method.position", self.position, 1)
        checks.integer("method.summary_tokens", self.summary_tokens, 1)
        check_router(self.router)
        checks.integer("method.helpers", self.helpers, 1, optional=True)
        if self.position + self.summary_tokens >= self.max_tokens:
            raise UserError(
                f"method.position={self.position}: no block fits; must be < method.max_tokens="
                f"{self.max_tokens} minus method.summary_tokens={self.summary_tokens}"
            )
        if self.helpers is not None and self.helpers >= peers:
            raise UserError(f"method.helpers={self.helpers}: no path is left to hear them; must be < peers={peers}")

    def rows(self, peers: int) -> int:
        """The survivors."""
        return peers - (self.helpers or 0)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that exchange summaries once; all but the helpers are returned."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        stay = self.rows(job.peers)
        survivors, helpers = paths[:stay], paths[stay:]
        async with asyncio.TaskGroup() as endings:
            only_heard = [path.index for path in helpers]
            share = self.told_as(self.summary_tokens, self.router)
            exchange = Exchange(writer, self.router, self.summary_tokens, endings, only_heard, self.probe_tokens, share)
            audience = audience_of(self.router, exchange)
            told = await exchange.told(paths, 0, self.position)
            audible = {index: parts for index, parts in told.items() if index in only_heard} if helpers else told
            audience.collect(audible)
            heard = audience.hear(0, paths, told, audible.keys() if helpers else None)
            there = told.keys() - exchange.left
            for path in exchange.pass_on([path for path in survivors if path.index in there], 0, heard):
                exchange.leave(path, 0)
        for helper, survivor in zip(helpers, cycle(survivors), strict=False):
            survivor.helpers += helper.billed_paths
            helper.helpers = []
        return survivors
