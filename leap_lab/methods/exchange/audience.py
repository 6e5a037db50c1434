"""Who hears what at a block: the peers that a router chooses, or a random draw of a pool."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from leap_lab.methods.exchange.block import Exchange, Heard, Told, joined
from leap_lab.methods.exchange.pool import Pool
from leap_lab.path import Path, Route
from leap_lab.routing import Pooled, Router
from leap_lab.seeds import rng_for


class Audience(Protocol):
    """Decides what the paths of one group hear."""

    def collect(self, told: Told) -> int:
        """Take in what paths told at a block; returns how much of it is new, 0 where nobody counts."""
        ...

    def hear(self, turn: int, paths: Sequence[Path], told: Told, only: Collection[int] | None = None) -> Heard:
        """What each path that told hears, after `collect`; with `only` these authors alone are heard.

        `paths` are those of the group.
        """
        ...


@dataclass(frozen=True)
class Peers:
    """Every path hears all that the peers which the router chooses told at this block.

    The `pool` is there to count what is new.
    """

    exchange: Exchange
    pool: Pool | None = None

    def collect(self, told: Told) -> int:
        return self.pool.collect(told) if self.pool is not None else 0

    def hear(self, turn: int, paths: Sequence[Path], told: Told, only: Collection[int] | None = None) -> Heard:
        texts = joined(told)
        routes: dict[int, Route] = {}
        if only is None:
            routes = self.exchange.routes(turn, paths, texts)
        else:
            heard = {index: text for index, text in texts.items() if index in only}
            for index in texts.keys() - heard.keys():
                mine = dict(sorted({index: texts[index], **heard}.items()))
                routes[index] = self.exchange.routes(turn, paths, mine, index)[index]
        return {index: (route, [texts[peer] for peer in route.peers]) for index, route in routes.items()}


@dataclass(frozen=True)
class Draws:
    """Every path hears `draw` entries of the pool, drawn anew for each, in the order of the draw.

    Without `own` the draw is among what others wrote. Where the context has no room for all, the last are left out.
    """

    exchange: Exchange
    pool: Pool
    draw: int
    own: bool = False

    def collect(self, told: Told) -> int:
        return self.pool.collect(told)

    def hear(self, turn: int, paths: Sequence[Path], told: Told, only: Collection[int] | None = None) -> Heard:
        there = told.keys() - self.exchange.left
        return {path.index: self._drawn(turn, path, told) for path in paths if path.index in there}

    def _drawn(self, turn: int, path: Path, told: Told) -> tuple[Route, list[str]]:
        writer = self.exchange.writer
        job = writer.job
        entries = [entry for entry in self.pool.entries if self.own or entry.author != path.index]
        rng = rng_for(job.seed, job.problem.id, job.group, turn, "draw", path.index)
        drawn = rng.sample(entries, min(self.draw, len(entries)))
        while drawn and not writer.fits(path, [entry.text for entry in drawn]):
            drawn = drawn[: len(drawn) * 3 // 4]
        texts = [entry.text for entry in drawn]
        alike = self.pool.closeness.to("\n".join(told[path.index]), texts).tolist() if texts else []
        return Route(turn, tuple(entry.author for entry in drawn), tuple(alike)), texts


def check_router(router: Router) -> None:
    """`UserError` for a pool with settings that cannot be; other routers are checked when they are made."""
    if isinstance(router, Pooled):
        router.check("router")


def audience_of(router: Router, exchange: Exchange, counts: bool = False) -> Audience:
    """Who hears what in a group; with `counts` its `collect` says how much is new, whatever the router."""
    if isinstance(router, Pooled):
        return Draws(exchange, pool_of(router, exchange), router.draw)
    return Peers(exchange, pool_of(Pooled(), exchange) if counts else None)


def pool_of(settings: Pooled, exchange: Exchange) -> Pool:
    """An empty pool for a group, with chance of its own."""
    job = exchange.writer.job
    rng = rng_for(job.seed, job.problem.id, job.group, "evict")
    return Pool(settings.same, settings.cap, settings.closeness, rng)
