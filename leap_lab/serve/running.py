"""The endpoint while it runs: the engine, uvicorn, and how both end."""

import asyncio
import contextlib
import os
import socket
import sys
from typing import Any

import uvicorn

from leap_lab.decoding.engines import Engines
from leap_lab.engines.base import EngineDied
from leap_lab.serve.app import build
from leap_lab.serve.cells import Cells
from leap_lab.serve.options import Options
from leap_lab.serve.service import Service
from leap_lab.settings.cell import Cell

GRACE_S = 5  # for requests in flight, from a signal on
LOCAL = ("127.0.0.1", "localhost", "::1")


class _Server(uvicorn.Server):
    """uvicorn, without its handling of signals: the command has its own."""

    def capture_signals(self) -> Any:
        """Nothing: see `console.run`."""
        return contextlib.nullcontext()


async def until_stopped(engines: Engines, cells: Cells, options: Options, listener: socket.socket) -> int:
    """Serve until a signal, or until the engine is gone; the exit status."""
    key = os.environ.get(options.key_variable) or None
    engine = await engines.for_cell(cells.own)
    errors: list[EngineDied] = []

    def died(error: EngineDied) -> None:
        errors.append(error)
        server.should_exit = True

    service = Service(cells, engine, options, died)
    app = build(service, root_of(cells.own), key)
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    server = _Server(config)
    _tell(service.name, options, listener, key)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    finally:
        if service.keeper is not None:
            await service.keeper.close()
    if errors:
        print(f"error: {errors[0]}", file=sys.stderr)
    return 1 if errors else 0


def root_of(cell: Cell) -> str:
    """Where the model is from, for others: a hub id, a built-in name, or the name of a folder and not its place."""
    path = str(cell.config["model"]["path"])
    return path if ":" in path or not os.path.isdir(cell.model_path) else os.path.basename(cell.model_path)


def _tell(name: str, options: Options, listener: socket.socket, key: str | None) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    asks = f"asks for the key in {options.key_variable}" if key else "asks for no key"
    print(f"serving {name} at http://{shown}:{port}/v1, which {asks}; Ctrl-C stops it", file=sys.stderr, flush=True)
    if not key and options.host not in LOCAL:
        print(
            f"note: whoever reaches {shown}:{port} can use it; set {options.key_variable}", file=sys.stderr, flush=True
        )
