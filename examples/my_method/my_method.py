"""A method of your own: every path answers, reads its own answer once more, and answers again."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab.engines.base import Engine
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import References, answer_of
from leap_lab.methods.writer import Writer
from leap_lab.path import Path


@dataclass(frozen=True)
class Refine(Method):
    """Two rounds; `max_tokens` is for both, half of it for the first. `wording` is the second round's prompt."""

    wording: str

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """Rules of its own, after those of all methods."""
        super().check(peers, context)
        References(self.wording, "method.wording").check()

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode a group: N paths side by side."""
        writer = self.writer(job, engine)
        first, second = writer.begin(), writer.blank()
        pairs = zip(first, second, strict=True)
        await asyncio.gather(*(self._twice(before, after, writer) for before, after in pairs))
        return second

    async def _twice(self, before: Path, after: Path, writer: Writer) -> None:
        await writer.think_to_the_end(before, 0, self.max_tokens // 2)
        for kind, tokens in References(self.wording, "method.wording").prompt([answer_of(before)], writer):
            after.add(kind, 1, tokens, writer.tokens.decode(tokens))
        after.started_s, after.critical_path, after.helpers = before.started_s, before.critical_path, [before]
        await writer.think_to_the_end(after, 1, self.max_tokens - before.sampled)
