"""The groups of several runs in one engine: the first groups of a run fill the long tail of the run before."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from leap_lab.decoding.decoder import Decoder
from leap_lab.decoding.tasks import first, to_its_end
from leap_lab.engines.metered import Metered
from leap_lab.methods.job import Job
from leap_lab.runs.lock import Busy

log = logging.getLogger(__name__)
POLL_S = 0.5  # between attempts to open a run that another process is writing
Start = Callable[[], Awaitable[Metered]]


class Scheduler:
    """Decodes runs one after the other, with at most `concurrency` groups of them all in flight.

    A run is opened when its first group is due and closed after its last one, so few are open at a time, however long
    the sweep. Seeds depend only on the run, and earlier runs are served first: the results of a run do not depend on
    the others. `start` is called for the engine when the first missing group is due.
    """

    def __init__(self, decoders: Iterable[Decoder], start: Start, concurrency: int) -> None:
        self._waiting, self._open = deque(decoders), list[Decoder]()
        self._started = list[Decoder]()  # the open runs that have jobs
        self._start, self._concurrency = start, concurrency
        self._turn, self._handed_out = asyncio.Lock(), 0

    async def run(self) -> None:
        """Decode everything; if something ends it early, the open runs are closed as they are.

        Raises what a run folder or the engine raised, such as `UserError` or `EngineDied`.
        """
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._concurrency):
                    workers.create_task(self._work())
        except BaseExceptionGroup as group:
            raise first(group) from None
        finally:
            for decoder in self._open:  # only where an error ended it early; that error is raised
                _close_quietly(decoder)

    async def _work(self) -> None:
        while (next_job := await self._next()) is not None:
            decoder, job = next_job
            await decoder.decode(job)
            if decoder.is_done:
                await self._close(decoder)

    async def _next(self) -> tuple[Decoder, Job] | None:
        """The next group of the first run that has one."""
        async with self._turn:  # one worker at a time opens a run
            while True:
                for decoder in self._started:
                    if (job := decoder.next(self._handed_out)) is not None:
                        self._handed_out += 1
                        return decoder, job
                if not self._waiting:
                    return None
                await self._open_next()

    async def _open_next(self) -> None:
        """Open the first waiting run that no other process is writing; open runs continue meanwhile."""
        warned = False
        while True:
            for decoder in list(self._waiting):
                try:
                    missing = await to_its_end(decoder.open)
                except Busy as error:
                    busy = error
                    continue
                self._waiting.remove(decoder)
                await self._opened(decoder, missing)
                return
            if not warned:
                log.warning("%s: waiting for it to end; Ctrl-C stops waiting", busy)
            warned = True
            await asyncio.sleep(POLL_S)

    async def _opened(self, decoder: Decoder, missing: bool) -> None:
        self._open.append(decoder)
        if missing:
            await to_its_end(decoder.start, await self._start())
            self._started.append(decoder)
        else:
            await self._close(decoder)

    async def _close(self, decoder: Decoder) -> None:
        if decoder in self._open:
            self._open.remove(decoder)
            self._started = [each for each in self._started if each is not decoder]
            await to_its_end(decoder.close)


def _close_quietly(decoder: Decoder) -> None:
    try:
        decoder.close()
    except Exception as error:
        log.warning("%s: could not record how it ended (%s); decoded groups are kept", decoder.label, error)
