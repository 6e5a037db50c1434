"""DeepConf, online (arXiv 2508.15260, Section 3.2): paths that lose confidence are ended early."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from leap_lab import checks
from leap_lab.confidence import Confidence, Recording, percentile, windows
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.stretches import answer, may_go_on, stop, stretch
from leap_lab.methods.writer import Writer
from leap_lab.path import Path

NAMED = {"low": 10.0, "high": 90.0}  # eta


@dataclass(frozen=True)
class DeepConf(Method):
    """The first `warmup` of the N paths are written to their end. The bar is the (100 - eta)th percentile of the
    means of their lowest windows, interpolated linearly. Each other path is ended once a full window of `window` tokens
    has a mean below the bar, so never in its first window. Every path that stayed at the bar or above votes, with the
    mean of its lowest window as weight. The others, and warm-up paths below the bar, have weight 0.

    `eta` is `low` (10: the bar at the 90th percentile, which few pass), `high` (90) or a number. The confidence of a
    token is taken from exactly `top_logprobs` most likely tokens.

    A path is written in stretches of `chunk` tokens and looked at after each. So it is ended up to a stretch late; the
    overshoot is in the path and on its bill. The released code looks at every token, in a logits processor of a changed
    vLLM; its offline code averages over what vLLM returns, which may be k + 1 tokens. It rounds confidences to three
    digits, and takes its seeds from the clock. As there, a path that ended by itself with its lowest window below the
    bar does not vote, even one shorter than a window. The paper's stop by consensus (tau) is left out: the released
    script starts all paths at once, and so does this.

    Cost: warmup whole paths, and of every other path what it wrote until it ended. The critical path is the longest
    warm-up path and then the longest other one.
    """

    top_logprobs: int
    window: int
    warmup: int
    chunk: int
    eta: str | float = "low"

    def check(self, peers: int, context: int) -> None:
        """The warm-up must leave a path; eta is a name or a percentage."""
        super().check(peers, context)
        for name in ("top_logprobs", "window", "warmup", "chunk"):
            checks.integer(f"method.{name}", getattr(self, name), 1)
        if self.eta not in NAMED:
            checks.number("method.eta", self.eta, "low, high or a number from 0 to 100", 0, 100)
        if self.warmup >= peers:
            raise UserError(f"method.warmup={self.warmup}: no path is left to end; must be < peers={peers}")

    def records(self, asked: Recording) -> Recording:
        """Those that it ends paths by."""
        return replace(asked, top_logprobs=self.top_logprobs, window=self.window)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode the warm-up, then the other paths against its bar."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        first, rest = paths[: self.warmup], paths[self.warmup :]
        await asyncio.gather(*(writer.think_to_the_end(path, 0) for path in first))
        bar = self._bar(first)
        waited = max(path.critical_path for path in first)
        for path in rest:
            path.critical_path = waited
        await asyncio.gather(*(self._watched(path, bar, writer) for path in rest))
        for path in paths:
            if path.finish != "stopped":
                lowest = self._lowest(path)
                path.weight = lowest if lowest >= bar else 0.0
        return paths

    def _bar(self, warmup: Sequence[Path]) -> float:
        """The lowest mean that a window may have."""
        eta = NAMED[self.eta] if isinstance(self.eta, str) else self.eta
        return percentile([self._lowest(path) for path in warmup], 100 - eta)

    def _lowest(self, path: Path) -> float:
        """The mean of a path's lowest window; 0 where it sampled nothing."""
        return Confidence.of(path.confidences, self.window).lowest if path.confidences else 0.0

    async def _watched(self, path: Path, bar: float, writer: Writer) -> None:
        """Write a path to its end, or until one of its windows falls below the bar."""
        for number in count():
            before = len(path.confidences)
            ended = await stretch(writer, path, number, self.chunk)
            seen = path.confidences[max(0, before - self.window + 1) :]  # the windows that this stretch completed
            if len(seen) >= self.window and min(windows(seen, self.window)) < bar:
                stop([path], writer.tokens)
                return
            if ended or not may_go_on(writer, path):
                await answer(writer, path, ended)
                return
