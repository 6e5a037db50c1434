"""An endpoint in a thread, over real HTTP, with the programmatic reasoner behind it, and OpenAI's own client."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import uvicorn
from openai import OpenAI

from leap_lab.builtin.policy import write
from leap_lab.engines.base import Completion, EngineDied, EngineWrapper, Request
from leap_lab.engines.metered import Metered
from leap_lab.engines.models import Model
from leap_lab.serve.app import build
from leap_lab.serve.cells import Cells
from leap_lab.serve.options import divided
from leap_lab.serve.service import Service
from leap_lab.settings.arguments import Arguments

QUESTION = "a=38+51\nb=a-12\nc=b-15\nd=c+12\ne=d+6\nf=e-9\nWhat is f?"
BASE = ("engine=scripted", "tracking=none", "peers=4")


def script(text: str, request: Request) -> str:
    """The programmatic reasoner, which says nothing to what is no question of its task."""
    try:
        return write(text, request)
    except ValueError:
        return ""


class Slow(EngineWrapper):
    """An engine that can be made slow, or die."""

    slow_s = 0.0
    dead = False
    in_flight = 0
    ended = 0

    async def generate(self, request: Request) -> Completion:
        self.in_flight += 1
        try:
            if self.dead:
                raise EngineDied("no more")
            await asyncio.sleep(self.slow_s)
            return await super().generate(request)
        except asyncio.CancelledError:
            self.ended += 1
            raise
        finally:
            self.in_flight -= 1


class Endpoint:
    """`url` of a running endpoint; `engine` behind it; `deaths` of that engine."""

    def __init__(self, *overrides: str, key: str | None = None) -> None:
        arguments = Arguments.read([*BASE, *overrides])
        self.options, rest = divided(arguments.overrides)
        self.cells = Cells(Arguments(tuple(rest)), self.options.most_peers)
        self.key, self.deaths = key, list[EngineDied]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def client(self, key: str = "none") -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)

    async def _serve(self) -> None:
        cell = self.cells.own
        self.engine = Slow(await cell.engine().start(Model(cell.model_path)))
        self.engine.inner.script = script
        self.service = Service(self.cells, Metered(self.engine), self.options, self.deaths.append)
        app = build(self.service, str(cell.config["model"]["path"]), self.key)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        self._up.set()
        await self._server.serve([self._listener])
        if self.service.keeper:
            await self.service.keeper.close()

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(30)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@contextmanager
def endpoint(*overrides: str, key: str | None = None):
    served = Endpoint(*overrides, key=key)
    served.start()
    try:
        yield served
    finally:
        served.stop()


def ask(client: OpenAI, question: str = QUESTION, **more):
    return client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": question}], **more)
