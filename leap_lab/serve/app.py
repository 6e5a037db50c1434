"""The endpoint over HTTP: routes, keys, bodies, streams, and clients that go."""

import asyncio
import hmac
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leap_lab.engines.base import Completion
from leap_lab.errors import one_line
from leap_lab.serve.answers import Answer
from leap_lab.serve.bodies import Body, ChatBody, RawBody, TextBody, checked
from leap_lab.serve.errors import ApiError
from leap_lab.serve.groups import Group
from leap_lab.serve.metrics import CONTENT_TYPE_LATEST
from leap_lab.serve.service import Service

log = logging.getLogger(__name__)
ALIVE_S = 10.0  # between two signs of life of a stream
GONE = 499  # the client closed the request, as nginx counts it
OPEN = ("/health", "/metrics")  # without a key


def build(service: Service, root: str, key: str | None) -> FastAPI:
    """The application. `root` is what /v1/models says of where the model is from; clients must send `key`."""
    app = FastAPI(title="leap_lab", openapi_url=None)
    routes = Routes(service, root)
    for place, (method, name) in PLACES.items():
        app.add_api_route(place, getattr(routes, name), methods=[method], response_model=None)
    app.add_middleware(Guard, service=service, key=key)
    app.add_exception_handler(ApiError, _of_ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_others)
    return app


PLACES = {
    "/health": ("GET", "health"),
    "/metrics": ("GET", "metrics"),
    "/v1/models": ("GET", "models"),
    "/v1/chat/completions": ("POST", "chat"),
    "/v1/completions": ("POST", "complete"),
    "/detokenize": ("POST", "detokenize"),
}


class Guard:
    """Asks for the key, and counts requests by what they were answered with."""

    def __init__(self, app: ASGIApp, service: Service, key: str | None) -> None:
        self._app, self._requests, self._key = app, service.metrics.requests, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        place = scope["path"] if scope["path"] in PLACES else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(place, str(message["status"])).inc()
            await send(message)

        refused = ApiError(401, "no such key; send it as Authorization: Bearer KEY").response
        await (self._app if self._is_let_in(scope) else refused)(scope, receive, counted)

    def _is_let_in(self, scope: Scope) -> bool:
        if self._key is None or scope["path"] in OPEN:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(bytes(given), f"Bearer {self._key}".encode())


async def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return ApiError(error.status_code, f"{request.method} {request.url.path}: {error.detail}").response


async def _of_others(request: Request, error: Exception) -> Response:
    log.warning("%s: a request failed (%s: %s)", request.url.path, type(error).__name__, one_line(error, 200))
    return ApiError(500, "the request failed; the endpoint's own output says why").response


class Routes:
    """What each place of the endpoint answers."""

    def __init__(self, service: Service, root: str) -> None:
        self.service, self._root = service, root
        self._created = int(time.time())

    async def health(self) -> Response:
        return Response(status_code=503 if self.service.is_dead else 200)

    async def metrics(self) -> Response:
        return Response(self.service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def models(self) -> Response:
        cell = self.service.cells.own
        card = {"id": self.service.name, "object": "model", "created": self._created, "owned_by": "leap_lab"}
        own = {"root": self._root, "parent": self._root if cell.lora and cell.engine().uses_model else None}
        length = {"max_model_len": self.service.engine.max_model_len}
        return JSONResponse({"object": "list", "data": [{**card, **own, **length}]})

    async def chat(self, request: Request) -> Response:
        body: ChatBody = checked(ChatBody, await self._json(request))
        return await self._groups(request, body, "chat", [body.question])

    async def complete(self, request: Request) -> Response:
        data = await self._json(request)
        prompt = data.get("prompt") if isinstance(data, dict) else None
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], int):
            return await self._raw(request, checked(RawBody, data))
        body: TextBody = checked(TextBody, data)
        if not isinstance(body.prompt, str) and not isinstance(body.prompt[0], str):
            raise ApiError(400, "prompt: must be text, a list of texts, or the token ids of one prompt", "prompt")
        return await self._groups(request, body, "text", body.questions)

    async def detokenize(self, request: Request) -> Response:
        data = await self._json(request)
        ids = data.get("tokens") if isinstance(data, dict) else None
        if not isinstance(ids, list) or not all(isinstance(token, int) and token >= 0 for token in ids):
            raise ApiError(400, "tokens: must be a list of token ids", "tokens")
        return JSONResponse({"prompt": self.service.engine.tokens.decode(ids)})

    async def _json(self, request: Request) -> Any:
        """The body, read up to the bound."""
        most, read = self.service.options.most_bytes, bytearray()
        async for part in request.stream():
            read += part
            if len(read) > most:
                raise ApiError(413, f"the body is longer than {most} bytes", code="body_too_long")
        try:
            return json.loads(read)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"the body is not JSON ({one_line(error, 100)})") from None

    async def _groups(self, request: Request, body: Body, kind: str, questions: Sequence[str]) -> Response:
        service = self.service
        wanted = await service.wanted(body, questions)
        service.admit(service.pool, len(wanted))
        decoding = service.decode(wanted)
        close = service.engine.tokens.form.close

        def answer(groups: Sequence[Group]) -> Answer:
            name = f"{'chatcmpl' if kind == 'chat' else 'cmpl'}-{uuid.uuid4().hex}"
            shown = body.shows_group
            return Answer(kind, name, int(time.time()), body.model, groups, close, body.stops, shown)

        if body.stream:
            usage = bool(body.stream_options and body.stream_options.include_usage)
            events = _events(decoding, answer([]), len(wanted), usage)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        groups = await _unless_gone(request, decoding)
        return Response(status_code=GONE) if groups is None else JSONResponse(answer(groups).whole)

    async def _raw(self, request: Request, body: RawBody) -> Response:
        """One continuation in vLLM's form."""
        service = self.service
        service.check_model(body.model)
        service.admit(service.raw_pool, 1)
        done = await _unless_gone(request, service.continuation(body))
        return Response(status_code=GONE) if done is None else JSONResponse(self._completion(body, done))

    def _completion(self, body: RawBody, done: Completion) -> dict[str, Any]:
        tokens = self.service.engine.tokens
        ids = [*done.tokens, *([getattr(tokens, "end", None) or 0] if done.stopped == "eos" else [])]
        choice = {
            "index": 0,
            "text": tokens.decode(done.tokens),
            "finish_reason": "length" if done.stopped == "length" else "stop",
            "stop_reason": done.stop,
            **({"token_ids": ids, "prompt_token_ids": body.prompt} if body.return_token_ids else {}),
        }
        length = len(body.prompt)
        cached = None if done.prefilled is None else {"cached_tokens": length - done.prefilled}
        counts = {"prompt_tokens": length, "completion_tokens": len(ids), "total_tokens": length + len(ids)}
        head = {"id": f"cmpl-{uuid.uuid4().hex}", "object": "text_completion", "created": int(time.time())}
        return {**head, "model": body.model, "choices": [choice], "usage": {**counts, "prompt_tokens_details": cached}}


async def _unless_gone(request: Request, work: "asyncio.Task[Any]") -> Any:
    """The result of the work, or None where the client goes first: then the work ends, too."""
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        gone.cancel()
        await _ended(work)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _ended(work: "asyncio.Task[Any]") -> None:
    """Cancel work that is not done, and wait for its end."""
    if not work.done():
        work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await work


async def _events(
    decoding: "asyncio.Task[list[Group]]", answer: Answer, count: int, include_usage: bool
) -> AsyncIterator[str]:
    """The events of a stream: a beginning, signs of life, and all words when the group has decided."""
    try:
        for event in answer.opening(count):
            yield event
        while not decoding.done():
            await asyncio.wait({decoding}, timeout=ALIVE_S)
            if not decoding.done():
                yield ": decoding\n\n"
        try:
            groups = decoding.result()
        except Exception as error:  # the status is sent already
            told = error if isinstance(error, ApiError) else ApiError(500, "the request failed")
            yield f"data: {json.dumps(told.body)}\n\n"
            return
        for event in answer.of(groups).chunks(include_usage):
            yield event
    finally:
        await _ended(decoding)
