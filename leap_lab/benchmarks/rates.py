"""The best rates of an engine: how fast it decodes at a concurrency and a context length, and how fast it prefills.

No methods, no grading, no files: requests of equal length, all at once, with the sampling of the runs. The *floor* of a
run is the time that its work would take at these rates.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass

from leap_lab.engines.base import Engine, Request, Sampling
from leap_lab.seeds import rng_for

DECODED = 96  # tokens of each request
REPEATS = 2  # the best one counts: noise only slows down
_fresh = itertools.count()


@dataclass(frozen=True)
class Rates:
    """Tokens per second."""

    decode: float
    prefill: float

    def floor(self, sampled: float, prefilled: float) -> float:
        """Seconds that so many sampled and prefilled (uncached) tokens take at least."""
        return sampled / self.decode + prefilled / self.prefill


async def measured(engine: Engine, concurrency: int, context: int, sampling: Sampling) -> Rates:
    """The rates with so many requests at once whose tokens attend to `context` positions on average."""
    length = max(16, context - DECODED // 2)
    repeats = [await _once(engine, concurrency, length, sampling) for _ in range(REPEATS)]
    return Rates(max(rates.decode for rates in repeats), max(rates.prefill for rates in repeats))


async def _once(engine: Engine, concurrency: int, length: int, sampling: Sampling) -> Rates:
    """The first pass samples one token per prompt, so that the prompts are cached when decoding is timed."""
    rng, words = rng_for("benchmark", next(_fresh)), engine.tokens.encode("0123456789+=abc")
    prompts = [[rng.choice(words) for _ in range(length)] for _ in range(concurrency)]
    prefill = await _timed(engine, prompts, 1, sampling)
    decode = await _timed(engine, prompts, DECODED, sampling)
    return Rates(concurrency * DECODED / decode, concurrency * length / prefill)


async def _timed(engine: Engine, prompts: list[list[int]], tokens: int, sampling: Sampling) -> float:
    requests = [Request(prompt, tokens, seed, sampling, ignore_eos=True) for seed, prompt in enumerate(prompts)]
    started = time.monotonic()
    await asyncio.gather(*map(engine.generate, requests))
    return time.monotonic() - started
