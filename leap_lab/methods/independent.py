"""Independent sampling: N paths that know nothing of each other. The baseline of everything."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.steps import branches_of
from leap_lab.methods.writer import Writer
from leap_lab.path import Path


@dataclass(frozen=True)
class Independent(Method):
    """`max_tokens` is a path's own budget of thinking tokens, `answer_tokens` the room for a forced answer.

    With `explain` the paths are asked as LeaP's are, with the tags explained, although no block follows: what the words
    alone do to a model.

    With `probe_interval` a copy of each path answers after every so many own tokens of its thinking, for
    `python -m analysis replay`. Copies are made of the path when it has ended, so it does not change. `probe_tokens`:
    what a copy may think before it answers.
    """

    explain: bool = False
    probe_interval: int | None = None
    probe_tokens: int | None = None

    probed: ClassVar[bool] = True
    later: ClassVar[tuple[str, ...]] = ("probe_interval",)

    def check(self, peers: int, context: int) -> None:
        """`explain` is true or false, and a path can be as long as `probe_interval`."""
        super().check(peers, context)
        checks.boolean("method.explain", self.explain)
        checks.integer("method.probe_interval", self.probe_interval, 1, optional=True)
        if self.probe_interval is not None and self.probe_interval >= self.max_tokens:
            raise UserError(
                f"method.probe_interval={self.probe_interval}: no probe fits; must be < method.max_tokens="
                f"{self.max_tokens}"
            )

    @property
    def explained(self) -> bool:
        return self.explain

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths at once."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        await asyncio.gather(*(self._solve(path, writer) for path in paths))
        return paths

    async def _solve(self, path: Path, writer: Writer) -> None:
        await writer.think_to_the_end(path, 0)
        if self.probe_interval is not None:
            branches = branches_of(path, self.probe_interval, writer.tokens)
            await asyncio.gather(*(writer.probe(path, branch, self.probe_tokens or 0) for branch in branches))
