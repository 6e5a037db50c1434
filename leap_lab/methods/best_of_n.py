"""Best of N by what the model's own probabilities say: self-certainty, and Borda votes (arXiv 2502.18581)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leap_lab import checks
from leap_lab.confidence import Confidence, Recording, self_certainty
from leap_lab.engines.base import Engine
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.path import Path

BORDA = "borda"
MEASURES = ("self_certainty", "tail", "lowest", "bottom")


@dataclass(frozen=True)
class BestOfN(Method):
    """N independent paths, the same that `method=independent` decodes, of which confidence decides.

    `select` is who decides. `self_certainty`: the path with the highest, alone. `borda`: all paths vote; the one of
    rank r by self-certainty (1 is the highest) with weight (N - r + 1)^power (Section 4). `power=0` is the plain vote,
    a large one the best path alone. `tail`, `lowest`, `bottom`: the best path alone by that measure of DeepConf
    (`confidence.Confidence`), with windows of `window` tokens. Paths of equal score rank in their order.

    Self-certainty is taken from the `top_logprobs` most likely tokens at each place instead of the whole vocabulary,
    which the paper's released code stores (`confidence.self_certainty`).

    Cost: that of N independent paths; `top_logprobs` add nothing to the tokens.
    """

    top_logprobs: int
    window: int
    select: str = "self_certainty"
    power: float = 0.5

    def check(self, peers: int, context: int) -> None:
        """`select` is one of these words, the power is no negative number."""
        super().check(peers, context)
        checks.one_of("method.select", self.select, (*MEASURES, BORDA))
        checks.number("method.power", self.power, "a number from 0 to 100", 0, 100)
        checks.integer("method.top_logprobs", self.top_logprobs, 1)
        checks.integer("method.window", self.window, 1)

    def records(self, asked: Recording) -> Recording:
        """Those that it ranks paths by."""
        return replace(asked, top_logprobs=self.top_logprobs, window=self.window)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths at once, and weigh them."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        await asyncio.gather(*(writer.think_to_the_end(path, 0) for path in paths))
        ranked = sorted(paths, key=self._score, reverse=True)  # stable: equal ones stay in order
        for path, weight in zip(ranked, self._weights(ranked), strict=True):
            path.weight = weight
        return paths

    def _weights(self, ranked: Sequence[Path]) -> list[float]:
        """By rank, the best first."""
        if self.select == BORDA:
            return [float(votes**self.power) for votes in range(len(ranked), 0, -1)]
        return [1.0, *(0.0 for _ in ranked[1:])]

    def _score(self, path: Path) -> float:
        if not path.confidences:
            return float("-inf")
        found = Confidence.of(path.confidences, self.window)
        if self.select in ("self_certainty", BORDA):
            return self_certainty(found.mean, self.top_logprobs)
        return float(getattr(found, self.select))
