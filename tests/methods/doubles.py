"""A script that talks as a model would, and groups of one method decoded with it (a token is a character)."""

import asyncio
from dataclasses import dataclass

from leap_lab.engines.base import Request
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.path import Path
from tests.doubles import job

HEAD = "[user]Q: 1+1[assistant]<think>\n"


def solve(method, script, peers=2, **engine):
    """The paths of one group, and the engine with all requests it saw."""
    scripted = ScriptedEngine(script, **engine)
    return asyncio.run(method.solve(job(peers), scripted)), scripted


def kinds(path: Path) -> list[tuple[str, int]]:
    return [(segment.kind.value, segment.turn) for segment in path.segments]


@dataclass
class Talk:
    """A script that thinks in given chunks, says `summary` when asked, then closes and answers."""

    chunks: dict[int, str]  # by number of comments heard so far
    summary: str = "S</summarize>"
    final: str = "\\boxed{2}"

    def __call__(self, text: str, request: Request) -> str:
        if text.endswith("<summarize>"):
            return self.summary
        if text.endswith("\\boxed{"):
            return "9}\nmore"
        if text.endswith("</think>"):
            return self.final
        return self.chunks.get(text.count("</comment>"), "</think>")
