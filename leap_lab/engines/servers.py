"""Several servers of one model as one: which of them a request goes to, and what happens when one fails.

The requests of a question stay on one server, where their prefix is cached. A server that dies or hangs is left out,
its requests go to others, and it is asked again later. One that is busy (429, 503) is asked again after a wait.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from leap_lab.engines.base import EngineDied
from leap_lab.engines.remote import LONGEST_WAIT_S, Busy, Closed, Failed, Refused, Server
from leap_lab.errors import UserError, one_line

log = logging.getLogger(__name__)
MOST_HOMES = 65536  # questions whose server is remembered
MOST_FAILURES = 5  # in a row: of one request on any servers, and of a server at any requests
FIRST_WAIT_S = 0.25  # on a server that is busy; doubled each time
REMARK_S = 60.0  # between two lines that say that servers are busy

Greet = Callable[[Server], Awaitable[Any]]  # raises `UserError` for a server of something else, and as `Server.get`


class Servers:
    """These servers, of which at least one has been greeted. `start` watches over them, `close` ends that.

    A server that was away is greeted before it is asked again: it may have come back with another model. Every
    `health_s` seconds each server with requests in flight is asked whether it is well; one that does not say so in the
    same time, twice in a row, hangs. After `patience_s` seconds without any server a request raises `EngineDied`.
    """

    def __init__(self, servers: Sequence[Server], greet: Greet, patience_s: float, health_s: float) -> None:
        self.servers, self._greet = list(servers), greet
        self._patience_s, self._health_s = patience_s, health_s
        self._homes = OrderedDict[int, Server]()
        self._changed = asyncio.Event()
        self._silent: set[Server] = set()  # once in a row
        self._remarked = -REMARK_S
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch over the servers."""
        self._watch = asyncio.create_task(self._keep_watch())

    async def close(self) -> None:
        """End the watch."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    async def post(self, affinity: int, place: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of one of the servers; `body` gets its name of the model.

        Raises `Refused`, `EngineDied`, or `Failed` after `MOST_FAILURES`.
        """
        failures, waits, avoid = 0, 0, None
        while True:
            server = await self._server(affinity, avoid)
            try:
                answer = await server.post(place, {"model": server.name, **body})
            except Busy as error:
                if await self._is_gone(server, error):
                    continue
                await self._wait(error, waits)
                waits += 1
            except Failed as error:
                failures, avoid = failures + 1, server
                gone = await self._is_gone(server, error)
                if failures >= MOST_FAILURES:
                    raise
                if not gone:
                    log.warning("%s; the request is sent again", one_line(error))
                    await asyncio.sleep(FIRST_WAIT_S * 2 ** (failures - 1))
            else:
                server.did_well()
                return answer

    async def _wait(self, error: Busy, waits: int) -> None:
        """Wait as long as a busy server asks for, else longer each time."""
        if (now := time.monotonic()) - self._remarked >= REMARK_S:
            self._remarked = now
            log.warning("%s; waiting", one_line(error))
        wait_s = error.wait_s if error.wait_s is not None else FIRST_WAIT_S * 2 ** min(waits, 16)
        await asyncio.sleep(min(wait_s, LONGEST_WAIT_S))

    async def _is_gone(self, server: Server, error: Exception) -> bool:
        """Whether a server that failed is of no use for now; then it is left out."""
        server.failures += isinstance(error, Failed)
        useless = isinstance(error, Closed) or server.failures >= MOST_FAILURES
        if server.out is None and (useless or not await server.is_well(self._health_s)):
            self._leave_out(server, one_line(error).removeprefix(f"{server.url}: "))
        return server.out is not None

    async def _server(self, affinity: int, avoid: Server | None) -> Server:
        """The home of this affinity, or a new one where that is gone: the one with the least to do."""
        there = await self._there()
        home = self._homes.get(affinity)
        if home is None or home not in there or (home is avoid and len(there) > 1):
            others = [server for server in there if server is not avoid] or there
            homes = list(self._homes.values())
            home = min(others, key=lambda server: (server.in_flight, homes.count(server)))
        self._homes[affinity] = home
        self._homes.move_to_end(affinity)
        if len(self._homes) > MOST_HOMES:
            self._homes.popitem(last=False)
        return home

    async def _there(self) -> list[Server]:
        """The servers that are not left out; waits for one."""
        end = time.monotonic() + self._patience_s
        while not (there := [server for server in self.servers if server.out is None]):
            self._changed.clear()
            try:
                async with asyncio.timeout(max(0.0, end - time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                told = "; ".join(f"{server.url}: {server.out}" for server in self.servers)
                raise EngineDied(f"no server of engine.urls has answered for {self._patience_s:g} s ({told})") from None
        return there

    def _leave_out(self, server: Server, reason: str) -> None:
        if server.leave_out(reason):
            left = sum(each.out is None for each in self.servers)
            log.warning("%s: left out (%s); %d of %d servers are there", server.url, reason, left, len(self.servers))

    async def _keep_watch(self) -> None:
        while True:
            due = min([self._health_s, *(server.again_at - time.monotonic() for server in self.servers if server.out)])
            await asyncio.sleep(max(due, 0.01))
            await asyncio.gather(*(self._look_at(server) for server in self.servers))

    async def _look_at(self, server: Server) -> None:
        if server.out is not None:
            if time.monotonic() >= server.again_at:
                await self._ask_again(server)
        elif server.in_flight and not await server.is_well(self._health_s):
            if server in self._silent:
                self._leave_out(server, f"does not say within {self._health_s:g} s that it is well")
            self._silent ^= {server}
        else:
            self._silent.discard(server)

    async def _ask_again(self, server: Server) -> None:
        try:
            async with asyncio.timeout(max(10 * self._health_s, 1.0)):
                await self._greet(server)
        except (UserError, Refused, Failed, Busy, TimeoutError) as error:
            server.leave_out(one_line(error).removeprefix(f"{server.url}: "))
            return
        server.take_back()
        self._changed.set()
        log.warning("%s: is back", server.url)
