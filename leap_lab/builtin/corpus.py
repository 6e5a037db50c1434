"""Training traces: the programmatic reasoner run under the real decoding methods, with a mask of who wrote what.

The loss is taken on what the path sampled (thinking, summaries, answers), not on prompt, triggers and comments: words
from peers are read, not learned.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING

from leap_lab.builtin.policy import DRILL, write
from leap_lab.builtin.tokenizer import FastTokens
from leap_lab.engines.base import Sampling, Tokens
from leap_lab.engines.scripted import Characters, ScriptedEngine
from leap_lab.methods.base import Method
from leap_lab.methods.independent import Independent
from leap_lab.methods.job import Job
from leap_lab.methods.leap import Leap
from leap_lab.path import SAMPLED, Kind, Path
from leap_lab.prompts import Prompts
from leap_lab.routing import Clustered, Dispersed, Hybrid, RandomPeers
from leap_lab.seeds import rng_for
from leap_lab.tasks.arithmetic import generate
from leap_lab.tasks.problem import Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ROUTERS = (Clustered, Dispersed, Hybrid, RandomPeers)
INTERVALS = (40, 48, 56, 64, 64, 72, 80, 96, 112)
GROUP_SIZES = (1, 3, 5, 8, 12, 16)
KEPT_PER_GROUP = 4
BUDGET, SUMMARY, ANSWER = 512, 32, 32
IGNORED = -100  # the label of a token that carries no loss


@dataclass(frozen=True)
class Trace:
    """One training sequence: token ids, and for each token whether the model is to learn it."""

    tokens: list[int]
    learned: list[bool]


@dataclass(frozen=True)
class Recipe:
    """How many plain responses, LeaP groups and drills of the check, drawn from the train split under `seed`."""

    plain: int
    groups: int
    drills: int
    seed: int
    prompts: Prompts
    tokenizer: "PreTrainedTokenizerFast | None" = field(default=None, repr=False)

    @property
    def total(self) -> int:
        return self.plain + self.groups + self.drills

    @property
    def tokens(self) -> Tokens:
        return FastTokens(self.tokenizer.backend_tokenizer) if self.tokenizer else Characters()


def traces(recipe: Recipe, processes: int = 2, chunk: int = 500) -> list[Trace]:
    """All traces of a recipe, in an order that depends only on the seed."""
    starts = range(0, recipe.total, chunk)
    with get_context("spawn").Pool(processes) as pool:
        parts = pool.map(partial(_part, recipe, chunk), starts)
    shuffled = list(chain.from_iterable(parts))
    rng_for("corpus order", recipe.seed).shuffle(shuffled)
    return shuffled


def paths(recipe: Recipe, first: int, count: int) -> Iterator[Path]:
    """The paths of problems `first` to `first + count`: plain ones, then LeaP groups, then drills."""
    return chain.from_iterable(asyncio.run(_solve(recipe, range(first, first + count))))


def trace(path: Path, end: Sequence[int]) -> Trace:
    """The path as a training sequence; it learns to stop after the answer."""
    tokens: list[int] = []
    learned: list[bool] = []
    for segment in path.segments:
        tokens += segment.tokens
        learned += [segment.kind in SAMPLED] * len(segment.tokens)
    return Trace([*tokens, *end], [*learned, *(True for _ in end)])


def _part(recipe: Recipe, chunk: int, first: int) -> list[Trace]:
    count = min(chunk, recipe.total - first)
    end = [recipe.tokenizer.eos_token_id] if recipe.tokenizer else []
    return [trace(path, end) for path in paths(recipe, first, count) if path.count(Kind.FINAL)]


async def _solve(recipe: Recipe, indices: Sequence[int]) -> list[list[Path]]:
    engine = ScriptedEngine(write, recipe.tokens, max_model_len=2048)
    return [await _solve_one(recipe, index, engine) for index in indices]


async def _solve_one(recipe: Recipe, index: int, engine: ScriptedEngine) -> list[Path]:
    rng = rng_for("corpus", recipe.seed, index)
    level = rng.choice((1, 2, 3, 4, 5))
    seed = rng.getrandbits(31)
    if index >= recipe.plain + recipe.groups:
        drill = Problem(f"drill-{index}", f"{DRILL} {rng.randint(11, 78)}+{rng.randint(11, 78)}", "")
        return await Independent(BUDGET, ANSWER, Sampling(), recipe.prompts).solve(Job(drill, 0, 1, seed), engine)
    problem = generate(1, seed=rng.getrandbits(48), split="train", levels=(level,))[0]
    if index < recipe.plain:
        budget = rng.randint(40, 150) if rng.random() < 0.03 else BUDGET
        return await Independent(budget, ANSWER, Sampling(), recipe.prompts).solve(Job(problem, 0, 1, seed), engine)
    router = rng.choice(ROUTERS)(rng.choice((1, 2, 3, 4, 4, 5, 6)))
    budget = rng.randint(150, 380) if rng.random() < 0.05 else BUDGET
    interval = rng.choice(INTERVALS)
    method: Method = Leap(budget, ANSWER, Sampling(), recipe.prompts, interval, SUMMARY, router)
    group = await method.solve(Job(problem, 0, rng.choice(GROUP_SIZES), seed), engine)
    return rng.sample(group, min(KEPT_PER_GROUP, len(group)))
