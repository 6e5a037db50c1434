"""Collaborative parallel thinking (CPT, arXiv 2605.27030): paths fill a pool of typed notes, and all read from it."""

import asyncio
from dataclasses import dataclass, replace

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.exchange.audience import Draws, pool_of
from leap_lab.methods.exchange.block import Exchange
from leap_lab.methods.exchange.notes import Distiller, Notes
from leap_lab.methods.exchange.rounds import in_rounds
from leap_lab.methods.exchange.schedules import Novelty, check_novelty
from leap_lab.methods.forms import BoardText
from leap_lab.methods.job import Job
from leap_lab.methods.references import References
from leap_lab.methods.writer import Writer
from leap_lab.path import Path
from leap_lab.routing import NoPeers, Pooled


@dataclass(frozen=True, kw_only=True)
class Cpt(Method):
    """Every `interval` own tokens (T) typed notes are distilled from what each path thought, and go into a pool.

    A path is asked with a board from the start (`rules`), which is empty at first. Once the notes of a block bring
    less new than `novelty_start` of what the first ones brought, the question is asked anew at each block, with up to
    `draw` notes of the pool on the board, drawn for each path; below `novelty_stop` each path goes on alone to its end
    (`schedules.Novelty`). The group decides by majority. `cap`, `same` and `embedding` are those of the pool
    (`pool.Pool`), `notes` says how notes are asked for, of at most `notes_tokens` a block.

    `max_tokens` is a path's own budget: its thinking and its notes, so that N paths may spend what N of any method may;
    the authors' budget counts the thinking alone. A path that closes its thinking keeps it and answers; the authors cut
    the end of its last stretch and sample it again.
    """

    interval: int
    notes_tokens: int
    notes: Distiller
    rules: str
    draw: int
    cap: int
    same: float
    embedding: str | None
    novelty_start: float
    novelty_stop: float

    def check(self, peers: int, context: int) -> None:
        """Notes must fit beside the thinking of an interval, and an interval the budget."""
        super().check(peers, context)
        checks.integer("method.interval", self.interval, 1)
        checks.integer("method.notes_tokens", self.notes_tokens, 1)
        if self.interval + self.notes_tokens > self.max_tokens:
            raise UserError(
                f"method.interval={self.interval}: no block fits; must be <= method.max_tokens={self.max_tokens} minus "
                f"method.notes_tokens={self.notes_tokens}"
            )
        self._references.check()
        self.notes.check("method.notes")
        self._pool.check("method")
        check_novelty(self.novelty_start, self.novelty_stop)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths that read each other's notes until each has answered."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        told_as = Notes(self.notes_tokens, self.notes, self._pool)
        async with asyncio.TaskGroup() as endings:
            exchange = Exchange(writer, NoPeers(), self.notes_tokens, endings, share=told_as)
            audience = Draws(exchange, pool_of(self._pool, exchange), self.draw, own=True)
            schedule = Novelty(self.novelty_start, self.novelty_stop)
            await in_rounds(exchange, paths, self.interval, audience, schedule)
        return paths

    def writer(self, job: Job, engine: Engine) -> Writer:
        """The writer for the paths of a group, whose question has the board."""
        return replace(super().writer(job, engine), board=BoardText(self.rules, "Note", empty=True))

    @property
    def _references(self) -> References:
        return References(self.rules, "method.rules")

    @property
    def _pool(self) -> Pooled:
        return Pooled(self.draw, self.cap, self.same, self.embedding)
