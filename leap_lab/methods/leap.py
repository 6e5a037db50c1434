"""Learning from Peers (Section 3): think, summarize, route, comment, and think on."""

import asyncio
from dataclasses import dataclass
from itertools import count

from leap_lab.engines.base import Engine, Sampling
from leap_lab.methods.base import Job
from leap_lab.methods.writer import Writer
from leap_lab.path import Path, Route
from leap_lab.prompts import Prompts
from leap_lab.routing import Router
from leap_lab.seeds import rng_for


@dataclass(frozen=True)
class Leap:
    """Every `interval` own tokens (T) a path stops for a LeaP block.

    `max_tokens` is a path's own budget (thinking and summaries, what is cut back included), `summary_tokens` the
    longest summary, `answer_tokens` the room for a forced answer.
    """

    interval: int
    max_tokens: int
    summary_tokens: int
    answer_tokens: int
    sampling: Sampling
    prompts: Prompts
    router: Router

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that exchange summaries until each has answered."""
        writer = Writer(job, engine, self.prompts, self.sampling, self.max_tokens, self.answer_tokens)
        paths = live = writer.begin()
        async with asyncio.TaskGroup() as endings:
            for turn in count():
                summaries = await asyncio.gather(*(self._until_block(path, turn, writer, endings) for path in live))
                exchange = {path.index: text for path, text in zip(live, summaries, strict=True) if text is not None}
                live = [path for path in live if path.index in exchange]
                if not live:
                    break
                live = self._exchange(live, turn, exchange, job, writer, endings)
        return paths

    async def _until_block(self, path: Path, turn: int, writer: Writer, endings: asyncio.TaskGroup) -> str | None:
        """Think for T tokens, then summarize. None when the path has left the exchange and ends on its own."""
        if await writer.think(path, turn, self.interval):
            endings.create_task(writer.finish(path, turn, closed=True))
        elif not writer.can_exchange(path, self.summary_tokens):
            endings.create_task(writer.think_to_the_end(path, turn + 1))
        else:
            return await writer.summarize(path, turn, self.summary_tokens)
        return None

    def _exchange(
        self,
        live: list[Path],
        turn: int,
        summaries: dict[int, str],
        job: Job,
        writer: Writer,
        endings: asyncio.TaskGroup,
    ) -> list[Path]:
        """Route the summaries and comment; a path whose context cannot hold its comments goes on alone."""
        rng = rng_for(job.seed, job.problem.id, job.group, turn, "route")
        heard = self.router.route([summaries[path.index] for path in live], rng)
        staying = []
        for path, peers in zip(live, heard, strict=True):
            indices = tuple(live[peer].index for peer, _ in peers)
            route = Route(turn, indices, tuple(similarity for _, similarity in peers))
            if writer.comment(path, turn, route, [summaries[index] for index in indices]):
                staying.append(path)
            else:
                endings.create_task(writer.think_to_the_end(path, turn + 1))
        return staying
