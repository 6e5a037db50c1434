"""`engine=server`: vLLM servers behind the engine protocol, token ids in and out.

What is sampled is what vLLM in process samples; only where differs.
"""

import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from leap_lab import checks
from leap_lab.engines.base import Completion, Request, TooLong
from leap_lab.engines.finished import completion, largest
from leap_lab.engines.greeting import Greeting
from leap_lab.engines.launch import check_fields
from leap_lab.engines.models import Model
from leap_lab.engines.remote import Busy, Closed, Failed, Refused, Server
from leap_lab.engines.servers import Servers
from leap_lab.engines.tokens import ModelTokens
from leap_lab.engines.vllm import NOT_IDENTITY
from leap_lab.errors import UserError, brief, one_line

NEUTRAL = {"repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}  # else a server has its own
IDS_ONLY = {"include_stop_str_in_output": True, "skip_special_tokens": False, "return_token_ids": True}
KEEPALIVE_S = 2.0  # less than servers keep an idle connection, so that none is used while they close it
CONNECT_S = 10.0


class ServerSettings:
    """`engine=server`: running vLLM servers at `urls`, which call the model `model` (null: found from their list).

    The key that they ask for is in the environment variable `key_variable`. `timeout_s` bounds one request,
    `patience_s` how long to wait where no server answers; every `health_s` seconds the servers are looked at. `fields`
    are engine arguments that the servers were started with and that change what is sampled, such as `quantization`.
    """

    uses_model = True

    def __init__(
        self,
        urls: Sequence[str],
        max_model_len: int,
        model: str | None = None,
        key_variable: str = "VLLM_API_KEY",
        timeout_s: float = 3600,
        patience_s: float = 300,
        health_s: float = 10,
        **fields: Any,
    ) -> None:
        self.urls, self.max_model_len, self.model, self.key_variable = urls, max_model_len, model, key_variable
        self.timeout_s, self.patience_s, self.health_s, self.fields = timeout_s, patience_s, health_s, fields

    def check(self, model: Model) -> None:
        """`UserError` for a setting that cannot be; asks no server."""
        self._check_urls()
        if self.model is not None:
            checks.text("engine.model", self.model, "the name that the servers give the model, or null")
        if not isinstance(self.key_variable, str) or not re.fullmatch("[A-Z][A-Z0-9_]*", self.key_variable):
            raise UserError("engine.key_variable: must be the name of an environment variable, such as VLLM_API_KEY")
        for name in ("timeout_s", "patience_s", "health_s"):
            checks.number(f"engine.{name}", getattr(self, name), "a number of seconds > 0", 0, open_at="least")
        for name in self.fields.keys() & (NOT_IDENTITY | {"log"}):
            raise UserError(f"engine.{name}: engine=server starts no vLLM; set it where the servers are started")
        if find_spec("vllm") is not None:
            check_fields(self.fields)

    def _check_urls(self) -> None:
        example = "as in engine.urls=[http://127.0.0.1:8000]"
        if not isinstance(self.urls, list | tuple) or not self.urls:
            raise UserError(f"engine.urls={checks.shown(self.urls)}: must be a list of addresses, {example}")
        for url in self.urls:
            parts = urlsplit(str(url))
            if "@" in parts.netloc or parts.query:
                raise UserError("engine.urls: an address may hold no key or password; set engine.key_variable")
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
                raise UserError(f"engine.urls={brief(url)}: must be http:// or https:// and a host, {example}")
        if len(set(self.places)) < len(self.places):
            raise UserError(f"engine.urls={brief(self.urls)}: one address twice; name each server once")

    @property
    def places(self) -> list[str]:
        """The addresses, without what is the same for every server."""
        return [str(url).rstrip("/").removesuffix("/v1") for url in self.urls]

    def identity(self) -> dict[str, Any]:
        """That of vLLM in process with these fields: where a server is does not change what it samples."""
        return {"max_model_len": self.max_model_len, **self.fields}

    async def start(self, model: Model) -> "ServerEngine":
        """Greet the servers, and start without those that do not answer."""
        self.check(model)
        greeting = Greeting(model, ModelTokens.of(model), self.max_model_len, self.model)
        key = os.environ.get(self.key_variable) or None
        timeout = aiohttp.ClientTimeout(total=self.timeout_s, sock_connect=CONNECT_S)
        session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=timeout,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
            trust_env=True,
        )
        try:
            servers = [Server(place, session, key) for place in self.places]
            found = await asyncio.gather(*map(greeting, servers), return_exceptions=True)
            _sort_out(dict(zip(servers, found, strict=True)), self.key_variable)
        except BaseException:
            await session.close()
            raise
        return ServerEngine(session, Servers(servers, greeting, self.patience_s, self.health_s), greeting)


def _sort_out(greeted: Mapping[Server, BaseException | None], key_variable: str) -> None:
    """Leave out the servers that did not answer; raises for one that holds something else, and where none answers."""
    reasons = []
    for server, found in greeted.items():
        if isinstance(found, Failed | Busy):
            reasons.append(one_line(found))
            server.leave_out(reasons[-1].removeprefix(f"{server.url}: "))
        elif isinstance(found, BaseException):
            raise found
    if len(reasons) == len(greeted):
        hint = (
            f"; the key is read from {key_variable}"
            if any(isinstance(each, Closed) for each in greeted.values())
            else ""
        )
        raise UserError(f"engine.urls: no server answers ({'; '.join(reasons)}){hint}")
    for reason in reasons:
        print(f"note: {reason}; left out, and asked again later", file=sys.stderr)


class ServerEngine:
    """Servers of one model."""

    def __init__(self, session: aiohttp.ClientSession, servers: Servers, greeting: Greeting) -> None:
        self._session, self._servers = session, servers
        self.tokens, self.max_model_len = greeting.tokens, greeting.max_model_len
        servers.start()

    async def generate(self, request: Request) -> Completion:
        """Sample one continuation; cancelling the caller also ends it on the server."""
        length = len(request.prompt)
        if not length or request.max_tokens < 1 or length + request.max_tokens > self.max_model_len:
            size = f"a prompt of {length} and max_tokens={request.max_tokens}"
            raise TooLong(f"{size} do not fit max_model_len={self.max_model_len}")
        answer = await self._servers.post(request.affinity, "/v1/completions", body(request))
        return read(answer, request)

    async def close(self) -> None:
        await self._servers.close()
        await self._session.close()


def body(request: Request) -> dict[str, Any]:
    """A request as vLLM's /v1/completions takes it. What is not named there, a server sets as its model says."""
    sampling, told = request.sampling, request.top_logprobs
    return {
        "prompt": list(request.prompt),
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "stop": list(request.stop),
        "stop_token_ids": list(request.stop_ids),
        "ignore_eos": request.ignore_eos,
        "priority": request.priority,
        **({"logprobs": told, "return_tokens_as_token_ids": True} if told else {}),
        **NEUTRAL,
        **IDS_ONLY,
    }


def read(answer: Mapping[str, Any], request: Request) -> Completion:
    """The completion in an answer of /v1/completions; `Failed` for one that is none, `Refused` for one cut short."""
    try:
        (choice,) = answer["choices"]
        tokens, usage = [int(token) for token in choice["token_ids"]], answer.get("usage") or {}
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        prefilled = None if cached is None else len(request.prompt) - int(cached)
        places = [place.values() for place in choice["logprobs"]["top_logprobs"]] if request.top_logprobs else None
        reasons = choice["finish_reason"], choice.get("stop_reason")
        done = completion(tokens, *reasons, request.stop_ids, prefilled, largest(places, request.top_logprobs))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Failed(f"a server's answer is no completion ({type(error).__name__}: {one_line(error, 100)})") from None
    if done.stopped == "length" and len(done.tokens) < request.max_tokens:
        raise Refused(
            f"a server samples at most {len(done.tokens)} of {request.max_tokens} tokens; its max_new_tokens is less"
        )
    return done
