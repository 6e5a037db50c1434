"""Independent sampling: N paths that know nothing of each other. The baseline of everything."""

import asyncio
from dataclasses import dataclass

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.path import Path


@dataclass(frozen=True)
class Independent(Method):
    """`max_tokens` is a path's own budget of thinking tokens, `answer_tokens` the room for a forced answer.

    With `explain` the paths are asked as LeaP's are, with the tags explained, although no block follows: what the words
    alone do to a model.
    """

    explain: bool = False

    def check(self, peers: int, context: int) -> None:
        """`explain` is true or false."""
        super().check(peers, context)
        checks.boolean("method.explain", self.explain)

    @property
    def explained(self) -> bool:
        return self.explain

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths at once."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        await asyncio.gather(*(writer.think_to_the_end(path, 0) for path in paths))
        return paths
