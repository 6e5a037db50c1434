"""short-m@k (arXiv 2505.17813): the paths that think least decide, and nobody waits for the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.stretches import answer, may_go_on, stop, stretch
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path, wait_for_all

TIE = 0.5  # less than this is what all weights have above 1, so that it decides between equal counts alone


@dataclass(frozen=True)
class Short(Method):
    """The N paths (k in the paper) think in rounds of `chunk` tokens. Once `m` of them have closed their thinking, all
    others are stopped. The m answer, and vote. Of answers with as many votes the one with the shortest path wins; their
    weights see to that: 1 + 1/4 for the shortest, 1 + 1/8 for the next, and so on. What only paths beyond the first
    two dozen could decide is shared.

    Who is shortest goes by tokens of thinking, and not by the clock: of paths that close in one round the shorter ones
    come first, then those of lower index. So a result does not depend on how busy the machine is. The paper stops at
    the moment when the m-th path closes. Here the others finish their round, and what they sampled in it is on the
    bill. A path whose budget or context is spent before m have closed has its answer forced. It is done, too, but comes
    after those that closed in its round.

    Cost: N x (the m-th shortest thinking, rounded up to a whole round), at most, and m answers.
    """

    chunk: int
    m: int = 3

    def check(self, peers: int, context: int) -> None:
        """No more votes than paths."""
        super().check(peers, context)
        checks.integer("method.chunk", self.chunk, 1)
        checks.integer("method.m", self.m, 1)
        if self.m > peers:
            raise UserError(f"method.m={self.m}: there are not as many paths; must be <= peers={peers}")

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode until m paths are done; all N are returned."""
        writer = self.writer(job, engine)
        paths = live = writer.begin()
        done: list[Path] = []
        async with asyncio.TaskGroup() as answers:
            for number in count():
                ended = await self._round(live, number, writer)
                out = [path for path in live if ended[path.index] or not may_go_on(writer, path)]
                out.sort(key=lambda path: (not ended[path.index], path.count(Kind.THINK), path.index))
                for path in out[: self.m - len(done)]:
                    answers.create_task(answer(writer, path, ended[path.index]))
                    done.append(path)
                gone = {path.index for path in done}
                live = [path for path in live if path.index not in gone]
                if len(done) == self.m:
                    break
            stop(live, writer.tokens)
        for rank, path in enumerate(done, start=1):
            path.weight = 1 + TIE * 2.0**-rank
        return paths

    async def _round(self, live: Sequence[Path], number: int, writer: Writer) -> dict[int, bool]:
        """Each path thinks on, and waits for the others; by index whether its thinking or message ended."""
        ended = await asyncio.gather(*(stretch(writer, path, number, self.chunk) for path in live))
        wait_for_all(live)
        return {path.index: end for path, end in zip(live, ended, strict=True)}
