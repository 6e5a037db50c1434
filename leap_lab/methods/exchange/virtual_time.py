"""Blocks at which nobody waits: a path hears the newest that the others have told, in an order that can be repeated.

Which request an engine ends first depends on its load, so the clock of the machine cannot say what a path hears. Each
path has a clock of its own instead, which counts the tokens it has sampled: its thinking between two blocks as the
whole interval, what it tells as long as it is. Of what a path begins to tell at c it is taken to need the longest time,
so it can be heard by clocks greater than c + the limit. A path that has left stays audible.

A path at clock v must know all that was told before v. What another path has not told yet comes no earlier than its
promise: the end of its interval, plus the limit. A path whose engine is ahead waits until every promise is at least v;
paths that sample at one rate never do. The path with the lowest clock among those that wait waits for one that is at
work, since the promise of a waiting path is later than its clock. So one is always at work, and none waits for ever.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf

from leap_lab.methods.exchange.audience import Audience
from leap_lab.methods.exchange.block import Exchange
from leap_lab.path import Kind, Path


@dataclass(frozen=True)
class Message:
    """What a path told, from which clock on (exclusive), and the longest chain of tokens that led to it."""

    at: int
    parts: Sequence[str]
    critical_path: int


@dataclass
class Timeline:
    """What the paths of a group have told and will tell, by their own clocks."""

    promised: dict[int, float]  # by path: the earliest time of what it has not told yet
    told: dict[int, list[Message]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def promise(self, index: int, at: float) -> None:
        """The path tells nothing more that can be heard before this time."""
        async with self.changed:
            self.promised[index] = at
            self.changed.notify_all()

    def tell(self, index: int, message: Message) -> None:
        """Keep what a path told; a promise has to follow."""
        self.told.setdefault(index, []).append(message)

    async def heard(self, index: int, clock: int) -> dict[int, Message]:
        """The newest message of every other path at this clock, by path index."""
        others = self.promised.keys() - {index}
        async with self.changed:
            await self.changed.wait_for(lambda: all(self.promised[other] >= clock for other in others))
        newest: dict[int, Message] = {}
        for other in sorted(others & self.told.keys()):
            for message in self.told[other]:
                if message.at < clock:
                    newest[other] = message
        return newest


async def without_waiting(exchange: Exchange, paths: Sequence[Path], interval: int, audience: Audience) -> None:
    """Decode `paths` in blocks every `interval` tokens of each, until all have left the exchange."""
    lag = exchange.told_as.sampled
    timeline = Timeline(dict.fromkeys((path.index for path in paths), interval + lag))
    async with asyncio.TaskGroup() as group:
        for path in paths:
            group.create_task(_blocks(exchange, path, paths, interval, audience, timeline))


async def _blocks(
    exchange: Exchange, path: Path, paths: Sequence[Path], interval: int, audience: Audience, timeline: Timeline
) -> None:
    """All blocks of one path."""
    clock, lag = 0, exchange.told_as.sampled
    try:
        for turn in count():
            before, thought = path.critical_path, _thought(path)
            parts = await exchange.think_and_tell(path, turn, interval)
            clock += interval
            if parts is None:
                return
            timeline.tell(path.index, Message(clock + lag, parts, path.critical_path))
            if path.index in exchange.left:
                exchange.leave(path, turn, closed=True)
                return
            clock += path.critical_path - before - (_thought(path) - thought)
            await timeline.promise(path.index, clock + interval + lag)
            newest = await timeline.heard(path.index, clock)
            path.critical_path = max([path.critical_path, *(message.critical_path for message in newest.values())])
            told = {path.index: parts, **{other: message.parts for other, message in newest.items()}}
            heard = audience.hear(turn, paths, told, only=newest.keys())
            if not exchange.pass_on([path], turn, heard):
                return
    finally:
        await timeline.promise(path.index, inf)


def _thought(path: Path) -> int:
    """Tokens of thinking that were sampled for the path, what was cut included."""
    return path.count(Kind.THINK) + path.tokens_cut
