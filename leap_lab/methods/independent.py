"""Independent sampling: N paths that know nothing of each other. The baseline of everything."""

import asyncio
from dataclasses import dataclass

from leap_lab.engines.base import Engine, Sampling
from leap_lab.methods.base import Job
from leap_lab.methods.writer import Writer
from leap_lab.path import Path
from leap_lab.prompts import Prompts


@dataclass(frozen=True)
class Independent:
    """`max_tokens` is a path's own budget of thinking tokens, `answer_tokens` the room for a forced answer."""

    max_tokens: int
    answer_tokens: int
    sampling: Sampling
    prompts: Prompts

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths at once."""
        writer = Writer(job, engine, self.prompts, self.sampling, self.max_tokens, self.answer_tokens)
        paths = writer.begin()
        await asyncio.gather(*(writer.think_to_the_end(path, 0) for path in paths))
        return paths
