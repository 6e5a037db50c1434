"""A server that speaks vLLM's protocol over real HTTP, with the programmatic reasoner in the model's place.

Its faults are attributes: what a test sets is what the next request meets.
"""

import asyncio
import threading
from collections import deque
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from leap_lab.builtin.policy import write
from leap_lab.engines.base import Request, Sampling
from leap_lab.engines.models import ASSETS, Model
from leap_lab.engines.scripted import Script, ScriptedEngine
from leap_lab.engines.tokens import ModelTokens

TINY = str(ASSETS / "tiny")
SAMPLING = ("temperature", "top_p", "top_k", "min_p")


class FakeServer:
    """One server, in a thread of its own; `url` is where it listens."""

    def __init__(self, script: Script = write) -> None:
        self.tokens = ModelTokens.of(Model(TINY))
        self.engine = ScriptedEngine(script, self.tokens, max_model_len=2048)
        self.cards: list[dict[str, Any]] = [{"id": "tiny", "root": TINY, "parent": None, "max_model_len": 2048}]
        self.bodies: list[dict[str, Any]] = []  # of /v1/completions, in order, without the greeting's
        self.key: str | None = None  # that a request must carry
        self.answers = deque[tuple[int, Any, dict[str, str]]]()  # status, JSON and headers of the next completions
        self.token_ids, self.cached = True, True
        self.swapped: dict[int, str] = {}  # ids that mean something else here
        self.hangs = False  # takes requests and never answers, not even /health
        self.slow_s = 0.0
        self.in_flight, self.most_in_flight, self.cancelled = 0, 0, 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()
        assert self._up.wait(10)

    def die(self) -> None:
        """Close the socket and every connection, as a process that was killed does."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)

    def rise(self) -> None:
        """Listen again on the same port."""
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._begin())
        self._up.set()
        self._loop.run_forever()

    async def _begin(self) -> None:
        app = web.Application(middlewares=[self._faults])
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/detokenize", self._detokenize)
        app.router.add_post("/v1/completions", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _end(self) -> None:
        for connection in list(self._runner.server.connections):
            if connection.transport:
                connection.transport.abort()
        await self._runner.cleanup()

    @web.middleware
    async def _faults(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.hangs:
            await asyncio.sleep(3600)
        given = request.headers.get("Authorization")
        if self.key is not None and given != f"Bearer {self.key}" and request.path != "/health":
            return web.json_response({"error": {"message": f"wrong key {given}"}}, status=401)
        return await handler(request)

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": self.cards})

    async def _detokenize(self, request: web.Request) -> web.Response:
        ids = (await request.json())["tokens"]
        texts = "".join(self.swapped.get(token, self.tokens.decode([token])) for token in ids if token in self.swapped)
        return web.json_response({"prompt": texts + self.tokens.decode([i for i in ids if i not in self.swapped])})

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["max_tokens"] > 1 or "seed" in body:
            self.bodies.append(body)
            if self.answers:
                status, answer, headers = self.answers.popleft()
                return web.json_response(answer, status=status, headers=headers)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.slow_s if "seed" in body else 0)
            return web.json_response(await self._sampled(body))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    async def _sampled(self, body: dict[str, Any]) -> dict[str, Any]:
        """What vLLM answers: the end token is the last of `token_ids`."""
        if "seed" not in body:  # the greeting's
            return self._answer(body, [self.tokens.end], "stop", None)
        done = await self.engine.generate(
            Request(
                body["prompt"],
                body["max_tokens"],
                body["seed"],
                Sampling(**{name: body[name] for name in SAMPLING}),
                tuple(body["stop"]),
                tuple(body["stop_token_ids"]),
                top_logprobs=body.get("logprobs") or 0,
            )
        )
        ids = [*done.tokens, *([self.tokens.end] if done.stopped == "eos" else [])]
        answer = self._answer(body, ids, "length" if done.stopped == "length" else "stop", done.stop)
        if done.logprobs is not None:  # with the sampled token, and for the end token, too
            places = [*done.logprobs, *([[-0.5] * body["logprobs"]] if done.stopped == "eos" else [])]
            top = [
                {"token_id:0": -20.0, **{f"token_id:{n + 1}": each for n, each in enumerate(place)}} for place in places
            ]
            answer["choices"][0]["logprobs"] = {"top_logprobs": top}
        return answer

    def _answer(self, body: dict[str, Any], ids: list[int], reason: str, stop: str | int | None) -> dict[str, Any]:
        told = {"token_ids": ids, "prompt_token_ids": body["prompt"]} if self.token_ids else {}
        details = {"prompt_tokens_details": {"cached_tokens": 0}} if self.cached else {}
        choice = {"index": 0, "text": self.tokens.decode(ids), "finish_reason": reason, "stop_reason": stop, **told}
        return {"choices": [choice], "usage": {"prompt_tokens": len(body["prompt"]), **details}}


@contextmanager
def served(count: int = 1, script: Script = write):
    """So many servers, which end with the block."""
    servers = [FakeServer(script) for _ in range(count)]
    for server in servers:
        server.start()
    try:
        yield servers
    finally:
        for server in servers:
            server.die()
            server._loop.call_soon_threadsafe(server._loop.stop)
