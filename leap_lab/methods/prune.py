"""Pruning of beginnings (STOP, arXiv 2604.16029): many paths begin, the best of them are finished."""

import asyncio
from dataclasses import dataclass

from leap_lab import checks
from leap_lab.confidence import Recording
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods import scorers
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.stretches import answer, stop, stretch
from leap_lab.methods.writer import Writer
from leap_lab.path import Path, wait_for_all


@dataclass(frozen=True)
class Prune(Method):
    """N paths think for `prefix` tokens. All are scored, and the `keep` best are finished; the others are stopped. Of
    equal scores those of lower index are kept. The kept ones vote, one each.

    `scorer` is `random`, `length`, `confidence`, `agreement`, or the dotted path of a function of your own
    (`methods.scorers`). A path that closes its thinking within the prefix is scored with what it has. The paper's own
    scorer is a trained head on the model, with a changed vLLM; that one is not here, but its place is. With
    `scorer=random` the mean accuracy of the kept paths is that of independent ones, in expectation.

    Cost: N x prefix + keep x (the rest of a path), and for `agreement` N answers. The critical path waits for all
    prefixes, and for what scores them. `top_logprobs` is of `confidence` alone.
    """

    prefix: int
    keep: int
    scorer: str = "confidence"
    top_logprobs: int = 20

    def check(self, peers: int, context: int) -> None:
        """The prefix is a part of the budget, the kept ones are among the paths, and the scorer can be imported."""
        super().check(peers, context)
        checks.integer("method.prefix", self.prefix, 1)
        checks.integer("method.keep", self.keep, 1)
        checks.integer("method.top_logprobs", self.top_logprobs, 1)
        checks.text("method.scorer", self.scorer, "the name of a scorer")
        scorers.found(self.scorer)
        if self.keep > peers:
            raise UserError(f"method.keep={self.keep}: there are not as many paths; must be <= peers={peers}")
        if self.prefix > self.max_tokens:
            raise UserError(f"method.prefix={self.prefix}: must be <= method.max_tokens={self.max_tokens}")

    def records(self, asked: Recording) -> Recording:
        """Those that its scorer reads."""
        return scorers.needs(self.scorer, asked, self.top_logprobs)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N prefixes and finish the best; all N are returned."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        ended = await asyncio.gather(*(stretch(writer, path, 0, self.prefix) for path in paths))
        wait_for_all(paths)
        values = await scorers.scores(self.scorer, paths, writer)
        wait_for_all([each for path in paths for each in path.billed_paths])
        best = sorted(paths, key=lambda path: -values[path.index])[: self.keep]
        kept = {path.index for path in best}
        stop((path for path in paths if path.index not in kept), writer.tokens)
        await asyncio.gather(*(self._finish(path, ended[path.index], writer) for path in best))
        return paths

    async def _finish(self, path: Path, ended: bool, writer: Writer) -> None:
        path.weight = 1.0
        await answer(writer, path, ended or await stretch(writer, path, 1, self.max_tokens))
