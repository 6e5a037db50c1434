"""The schedule of the method's released code: all paths step together, 16 requests at a time, text tokenized again."""

import asyncio

from leap_lab.engines.base import Completion, Engine, EngineWrapper, Request

AT_A_TIME = 16
SETTLED = 0.02  # seconds without a new request: every path has asked for its next one


class LockStep(EngineWrapper):
    """Requests wait until every path has made its own; then they are sent, and no path continues before all end."""

    def __init__(self, inner: Engine) -> None:
        super().__init__(inner)
        self._waiting: list[tuple[Request, asyncio.Future[Completion]]] = []
        self._stepping: asyncio.Task[None] | None = None

    async def generate(self, request: Request) -> Completion:
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._stepping is None:
            self._stepping = asyncio.create_task(self._step())
        return await answer

    async def _step(self) -> None:
        known = -1
        while known != len(self._waiting):
            known = len(self._waiting)
            await asyncio.sleep(SETTLED)
        batch, self._waiting, self._stepping = self._waiting, [], None
        slots = asyncio.Semaphore(AT_A_TIME)
        results = await asyncio.gather(*(self._one(request, slots) for request, _ in batch), return_exceptions=True)
        for (_, answer), done in zip(batch, results, strict=True):
            if isinstance(done, BaseException):
                answer.set_exception(done)
            else:
                answer.set_result(done)

    async def _one(self, request: Request, slots: asyncio.Semaphore) -> Completion:
        async with slots:
            # The cost of strings. The ids stay the same, and so does the work.
            self.tokens.encode(self.tokens.decode(request.prompt))
            return await super().generate(request)
