"""The engine of a command: started when it is first needed, and kept while the same one is needed."""

import sys
import time

from leap_lab.decoding.loop import Loop
from leap_lab.engines.metered import Metered
from leap_lab.settings.cell import Cell

Key = tuple[str, str]  # the model with its commit and how it is spoken to, and the engine's settings


def key_of(cell: Cell) -> Key:
    """The key of an engine: cells with the same key can share one."""
    settings = cell.config["engine"]
    return repr(cell.model), repr(sorted(settings.items(), key=lambda item: str(item[0])))


class Engines:
    """At most one engine at a time, and the event loop that it runs in."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.key: Key | None = None  # of the running engine
        self._engine: Metered | None = None

    async def for_cell(self, cell: Cell) -> Metered:
        """The engine that this cell needs: the running one, or a new one that replaces it."""
        key = key_of(cell)
        if self._engine is not None and self.key == key:
            return self._engine
        await self._stop()
        print(f"starting the engine for model={cell.config['model']['name']} ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        self._engine = Metered(await cell.engine().start(cell.model))
        self.key = key
        print(f"engine ready after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return self._engine

    def close(self) -> None:
        """Release engine and loop."""
        try:
            self.loop.run(self._stop())
        finally:
            self.loop.close()

    async def _stop(self) -> None:
        engine, self._engine, self.key = self._engine, None, None
        if engine is not None:
            await engine.close()
