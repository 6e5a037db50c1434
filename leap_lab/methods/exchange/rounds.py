"""The blocks of a group one after another: all think and tell, wait for each other, and hear."""

from collections.abc import Sequence
from itertools import count

from leap_lab.methods.exchange.audience import Audience
from leap_lab.methods.exchange.block import Exchange
from leap_lab.methods.exchange.schedules import Schedule
from leap_lab.path import Path, Route


async def in_rounds(
    exchange: Exchange, paths: Sequence[Path], interval: int, audience: Audience, schedule: Schedule
) -> None:
    """Decode `paths` in blocks every `interval` tokens, until all have left the exchange."""
    live = list(paths)
    for turn in count():
        told = await exchange.told(live, turn, interval)
        live = [path for path in live if path.index in told.keys() - exchange.left]
        if not told:
            return
        phase = schedule.after(audience.collect(told), interval)
        if phase == "finish":
            for path in live:
                exchange.leave(path, turn)
            return
        if phase == "broadcast":
            live = exchange.pass_on(live, turn, audience.hear(turn, paths, told))
        elif exchange.told_as.writes:
            live = exchange.pass_on(live, turn, {path.index: (Route(turn, (), ()), []) for path in live})
