"""One server that speaks vLLM's HTTP protocol: what is asked of it, and what an answer other than a result means."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from leap_lab.errors import brief

HTTP_OK, REFUSALS, BUSY, CLOSED = 200, (400, 413, 422), (429, 503), (401, 403, 404)
LONGEST_WAIT_S = 60.0  # between two requests to a server that is busy or gone


class Refused(ValueError):
    """The server takes no such request: the request's fault, and no other server would take it."""


class Failed(RuntimeError):
    """The server did not answer, or not as it should: its fault, so another one may do better."""


class Closed(Failed):
    """The server knows neither this model nor this key: it is of no use, however well it is."""


class Busy(RuntimeError):
    """The server has too much to do. `wait_s`: how long it asks to wait; None where it does not say."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Server:
    """A server at `url`, and how it does: requests in flight, and why it is left out, if it is.

    `name` is what it calls the model, which `greeting` finds. `secret` is the key that requests carry; no message of
    this class holds it.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession, secret: str | None = None) -> None:
        self.url, self._session, self._secret = url, session, secret
        self.name = ""
        self.remarks: set[str] = set()  # that were made about it
        self.in_flight = 0
        self.out: str | None = None  # why it is left out
        self.again_at = 0.0  # when it is asked again, by time.monotonic
        self.failures = 0  # in a row
        self._left = 0  # how often in a row
        self._posts: set[asyncio.Task[Any]] = set()

    async def post(self, place: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers a request; raises `Refused`, `Busy` or `Failed`."""
        task = asyncio.create_task(self._json("POST", place, json=body))
        self._posts.add(task)
        self.in_flight += 1
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is None or current.cancelling() or self.out is None:
                raise
            raise Failed(f"{self.url}: {self.out}") from None  # `leave_out` ended it
        finally:
            self.in_flight -= 1
            self._posts.discard(task)

    async def get(self, place: str) -> dict[str, Any]:
        """The JSON object at a place; raises as `post` does."""
        return await self._json("GET", place)

    async def is_well(self, within_s: float) -> bool:
        """Whether it says so itself, in time."""
        try:
            async with asyncio.timeout(within_s), self._session.get(f"{self.url}/health") as answer:
                return answer.status == HTTP_OK
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def leave_out(self, reason: str) -> bool:
        """Ask nothing more of it for a while, longer each time; its requests in flight fail. False where it was out."""
        new, self.out = self.out is None, reason
        self.again_at = time.monotonic() + min(2.0**self._left, LONGEST_WAIT_S)
        self._left += 1
        for task in list(self._posts):
            task.cancel()
        return new

    def take_back(self) -> None:
        """Ask it again, from now on."""
        self.out, self.failures = None, 0

    def did_well(self) -> None:
        """It has answered: the next time it fails, it is asked again soon."""
        self._left = self.failures = 0

    async def _json(self, method: str, place: str, **more: Any) -> dict[str, Any]:
        try:
            async with self._session.request(method, self.url + place, allow_redirects=False, **more) as answer:
                if answer.status != HTTP_OK:
                    raise self._refusal(answer, await answer.text(errors="replace"))
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            if isinstance(error, Refused):
                raise
            raise Failed(f"{self.url}: {self._said(error)}") from None
        if not isinstance(found, dict):
            raise Failed(f"{self.url}{place}: answers with something other than a JSON object")
        return found

    def _refusal(self, answer: aiohttp.ClientResponse, text: str) -> Exception:
        reason = f"{self.url}: {answer.status} {self._said(_message(text) or answer.reason or '')}"
        if answer.status in BUSY:
            return Busy(reason, _seconds(answer.headers.get("Retry-After")))
        kind = Refused if answer.status in REFUSALS else Closed if answer.status in CLOSED else Failed
        return kind(reason)

    def _said(self, what: BaseException | str) -> str:
        """A message of others on one line, without the key."""
        timed_out = isinstance(what, TimeoutError)
        text = "no answer in time" if timed_out else str(what) or type(what).__name__
        return brief(text.replace(self._secret, "***") if self._secret else text, 300)


def _message(text: str) -> str:
    """What an error says, in OpenAI's form or any other."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return text


def _seconds(text: str | None) -> float | None:
    """The seconds of a Retry-After header; None where there is none, or a date."""
    try:
        return min(max(float(text or ""), 0.0), LONGEST_WAIT_S)
    except ValueError:
        return None
