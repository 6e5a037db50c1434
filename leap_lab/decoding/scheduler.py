"""The groups of several runs in one engine: a run's long tail is filled by the next run's first groups."""

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
POLL_S = 0.5  # between two tries to open a run that another process is writing
Start = Callable[[], Awaitable[Metered]]


class Scheduler:
    """Decodes runs one after the other, with at most `concurrency` groups of them all in flight.

    A run is opened when its first group is due and closed with its last one, so that few are open at a time, however
    long a sweep is. Seeds are those of the run alone, and earlier runs are served first: what a run finds does not
    depend on the others. The engine starts with the first group that is missing, by `start`.
    """

    def __init__(self, decoders: Iterable[Decoder], start: Start, concurrency: int) -> None:
        self._waiting, self._open = deque(decoders), list[Decoder]()
        self._started = list[Decoder]()  # of the open ones, those that hand out jobs
        self._start, self._concurrency = start, concurrency
        self._turn, self._handed_out = asyncio.Lock(), 0

    async def run(self) -> None:
        """Decode everything; whatever ends it early, the runs that are open are closed as they stand.

        Raises what a run's folder or the engine raised, such as `UserError` or `EngineDied`.
        """
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._concurrency):
                    workers.create_task(self._work())
        except BaseExceptionGroup as group:
            raise first(group) from None
        finally:
            for decoder in self._open:  # only where something ended it early, which is what is to be told
                _close_quietly(decoder)

    async def _work(self) -> None:
        while (found := await self._next()) is not None:
            decoder, job = found
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
        """Open the first waiting run that no other process is writing; what is open goes on meanwhile."""
        told = False
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
            if not told:
                log.warning("%s: waiting for it to end; Ctrl-C stops waiting", busy)
            told = True
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
        log.warning("%s: how it ended could not be written (%s); what is decoded is kept", decoder.label, error)
