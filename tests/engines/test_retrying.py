"""Wrapped engines: a failed request is tried once more, and the meter counts what is in flight."""

import asyncio

import pytest

from leap_lab.engines.base import Completion, EngineDied, EngineWrapper, Request
from leap_lab.engines.metered import Metered
from leap_lab.engines.retrying import Retrying
from leap_lab.engines.scripted import ScriptedEngine

REQUEST = Request([1], 3, seed=0)


class Failing(EngineWrapper):
    """Raises these errors, one a request, then works."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(ScriptedEngine(lambda text, request: "ab"))
        self.errors = list(errors)

    async def generate(self, request: Request) -> Completion:
        if self.errors:
            raise self.errors.pop(0)
        return await super().generate(request)


def test_a_request_that_fails_once_is_tried_again_with_a_warning(caplog):
    done = asyncio.run(Retrying(Failing(RuntimeError("a hiccup"))).generate(REQUEST))
    assert done.tokens == [ord("a"), ord("b")]
    assert "a hiccup" in caplog.text and "once more" in caplog.text


def test_a_request_that_fails_twice_fails():
    with pytest.raises(RuntimeError, match="the second"):
        asyncio.run(Retrying(Failing(RuntimeError("the first"), RuntimeError("the second"))).generate(REQUEST))


@pytest.mark.parametrize("error", [ValueError("does not fit"), EngineDied("gone")])
def test_what_cannot_succeed_is_not_tried_again(error):
    failing = Failing(error, RuntimeError("a second try"))
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(Retrying(failing).generate(REQUEST))
    assert len(failing.errors) == 1


class Slow(EngineWrapper):
    """Takes as many seconds of a clock as the request's `max_tokens`."""

    def __init__(self) -> None:
        super().__init__(ScriptedEngine(lambda text, request: "a"))
        self.now, self.waiting = 0.0, list[tuple[float, asyncio.Event]]()

    async def generate(self, request: Request) -> Completion:
        event = asyncio.Event()
        self.waiting.append((self.now + request.max_tokens, event))
        await event.wait()
        return await super().generate(request)

    async def pass_time(self) -> None:
        """Let one request after the other come back."""
        while self.waiting:
            self.waiting.sort(key=lambda each: each[0])
            self.now, event = self.waiting.pop(0)
            event.set()
            for _ in range(5):
                await asyncio.sleep(0)


def test_the_meter_tells_how_many_requests_were_in_flight():
    async def measured() -> dict[str, float]:
        slow = Slow()
        meter = Metered(slow, lambda: slow.now)
        before = meter.reading()
        tasks = [asyncio.create_task(meter.generate(Request([1], seconds, seed=0))) for seconds in (2, 6)]
        await asyncio.sleep(0)
        await slow.pass_time()
        await asyncio.gather(*tasks)
        slow.now = 10.0
        return meter.reading().since(before)

    # Two requests for 2 s, one for 4 s, none for 2 s.
    assert asyncio.run(measured()) == {"busy": 0.6, "requests_in_flight": 0.8}
