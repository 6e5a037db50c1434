"""A LeaP block (Section 3), for every method that has one: think, summarize, route, comment.

What a path tells its peers is a `Share`, a summary unless a method says otherwise.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from leap_lab.methods.exchange.shares import Share, Summary
from leap_lab.methods.writer import Writer
from leap_lab.path import Path, Route, wait_for_all
from leap_lab.routing import Router, Speaker, ties
from leap_lab.seeds import rng_for

Told = Mapping[int, Sequence[str]]  # what each path told, in parts, by path index
Heard = Mapping[int, tuple[Route, Sequence[str]]]  # whom each path hears and what they say, by path index


@dataclass(frozen=True)
class Exchange:
    """The blocks of one group.

    A path that leaves them continues alone to its end, as a task of `endings`. `helpers` are indices of paths that are
    only heard; a helper that leaves stops there. With `probe_tokens` a copy of each path answers before its summary
    and after its comments, after at most that many tokens of thinking; this does not affect the paths.
    """

    writer: Writer
    router: Router
    summary_tokens: int
    endings: asyncio.TaskGroup
    helpers: Collection[int] = ()
    probe_tokens: int | None = None
    share: Share | None = None  # what paths tell; None: summaries of `summary_tokens`
    left: set[int] = field(default_factory=set)  # indices of the paths that have left the blocks

    @cached_property
    def told_as(self) -> Share:
        """What paths tell."""
        return self.share or Summary(self.summary_tokens)

    async def told(self, live: Sequence[Path], turn: int, interval: int) -> dict[int, list[str]]:
        """Each path thinks for `interval` tokens and tells; then all wait for each other.

        By path index, without those that left before they told. A path that told and then left is in `left`.
        """
        texts = await asyncio.gather(*(self.think_and_tell(path, turn, interval) for path in live))
        told = [(path, text) for path, text in zip(live, texts, strict=True) if text is not None]
        wait_for_all([path for path, _ in told])
        for path, _ in told:
            if path.index in self.left:
                self.leave(path, turn, closed=True)
        return {path.index: text for path, text in told}

    async def summaries(self, live: Sequence[Path], turn: int, interval: int) -> dict[int, str]:
        """The same, what each path told as one text."""
        return joined(await self.told(live, turn, interval))

    def routes(self, turn: int, paths: Sequence[Path], summaries: Mapping[int, str], *whose: int) -> dict[int, Route]:
        """Which peers each path hears; `whose` separates draws of one turn.

        A path whose summary has nothing to pass on (an empty one) hears the others, and is not heard.
        """
        heard = {index: text for index, text in summaries.items() if text}
        if not heard:
            return {index: Route(turn, (), ()) for index in summaries}
        routes = self._among(turn, paths, heard, *whose)
        for index in summaries.keys() - routes.keys():
            routes[index] = self._among(turn, paths, {**heard, index: ""}, *whose, index)[index]
        return routes

    def _among(self, turn: int, paths: Sequence[Path], summaries: Mapping[int, str], *whose: int) -> dict[int, Route]:
        """The routes of the paths that wrote these summaries, among themselves."""
        job, indices = self.writer.job, list(summaries)
        rng = rng_for(job.seed, job.problem.id, job.group, turn, "route", *whose)
        by_index = {path.index: path for path in paths}
        speakers = [Speaker(text, by_index[index]) for index, text in summaries.items()]
        choices = self.router.route(speakers, rng)
        return {
            index: Route(turn, tuple(indices[peer] for peer, _ in peers), tuple(alike for _, alike in peers), tied)
            for index, peers, tied in zip(indices, choices, ties(self.router, speakers, choices), strict=True)
        }

    def comment(
        self, live: Sequence[Path], turn: int, routes: Mapping[int, Route], summaries: Mapping[int, str]
    ) -> list[Path]:
        """Pass the summaries on and return the paths that stay; a path with no room for its comments leaves."""
        said = {index: [summaries[peer] for peer in route.peers] for index, route in routes.items()}
        return self.pass_on(live, turn, {index: (routes[index], said[index]) for index in routes})

    def pass_on(self, live: Sequence[Path], turn: int, heard: Heard) -> list[Path]:
        """Let the paths hear what they are to hear, and return those that stay."""
        staying = []
        for path in live:
            if path.index not in heard:
                continue
            if self.writer.comment(path, turn, *heard[path.index]):
                self._probe(path, turn, "after")
                staying.append(path)
            else:
                self.leave(path, turn)
        return staying

    def leave(self, path: Path, turn: int, closed: bool = False) -> None:
        """Let the path continue alone: it answers if it closed its thinking, else it first thinks to the end."""
        self.left.add(path.index)
        if path.index in self.helpers:
            return
        writer = self.writer
        ending = writer.finish(path, turn, closed=True) if closed else writer.think_to_the_end(path, turn + 1)
        self.endings.create_task(ending)

    async def think_and_tell(self, path: Path, turn: int, interval: int) -> list[str] | None:
        """What the path tells after so many tokens, None when it has left the blocks without a word.

        A path that closed its thinking and tells all the same is in `left`; the caller lets it `leave`.
        """
        closed = await self.writer.think(path, turn, interval)
        share = self.told_as
        if (closed and not share.last_words) or not self.writer.can_exchange(path, share.charged):
            self.leave(path, turn, closed)
            return None
        if not closed:
            self.writer.cut(path)
            self._probe(path, turn, "before")
        else:
            self.left.add(path.index)
        return await share.tell(self.writer, path, turn)

    def _probe(self, path: Path, turn: int, phase: Literal["before", "after"]) -> None:
        if self.probe_tokens is not None and path.index not in self.helpers:
            self.endings.create_task(self.writer.probe(path, path.branch(turn, phase), self.probe_tokens))


def joined(told: Told) -> dict[int, str]:
    """What each path told as one text, for routers."""
    return {index: "\n".join(parts) for index, parts in told.items()}
