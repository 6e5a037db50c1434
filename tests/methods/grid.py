"""Groups of LeaP at other points of the grid, and an engine that answers out of order."""

import asyncio
from random import Random

from leap_lab.engines.base import Completion, EngineWrapper, Request
from leap_lab.engines.scripted import Characters, ScriptedEngine
from leap_lab.methods.exchange.notes import Distiller
from leap_lab.path import Path
from tests.doubles import job

DISTILLER = Distiller("D {question} | {notes} | {transcript}", temperature=0.3, top_p=0.95, top_k=20, own=9)
BOARD = "{question} BOARD {references} END"


class Late(EngineWrapper):
    """An engine whose requests each take a random time, so that they end in any order."""

    def __init__(self, inner, seed: int) -> None:
        super().__init__(inner)
        self._rng = Random(seed)

    async def generate(self, request: Request) -> Completion:
        for _ in range(self._rng.choice((0, 0, 1, 3, 20))):
            await asyncio.sleep(0)
        done = await super().generate(request)
        for _ in range(self._rng.choice((0, 1, 5, 40))):
            await asyncio.sleep(0)
        return done


def late(method, script, seed, peers=3, group=0, **engine) -> tuple[list[Path], ScriptedEngine]:
    """The paths of a group that a late engine decoded; a group that waits for ever fails."""
    inner = ScriptedEngine(script, Characters(), **engine)

    async def decode():
        return await asyncio.wait_for(method.solve(job(peers, group=group), Late(inner, seed)), 30)

    return asyncio.run(decode()), inner


def seen(path: Path) -> list[tuple]:
    """All that can be seen of a path, but times of day."""
    billed = [(each.segments, each.usage, each.bounds) for each in path.billed_paths]
    return [billed, path.routes, path.finish, path.critical_path, path.spent, path.tokens_probe]


def sent(engine: ScriptedEngine, path: int) -> list[tuple[str, str]]:
    """The requests of a path in order: the phase, and the prompt."""
    mine = [request for request in engine.requests if request.purpose.path == path]
    return [(request.purpose.phase, engine.tokens.decode(request.prompt)) for request in mine]
