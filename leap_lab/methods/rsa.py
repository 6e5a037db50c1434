"""Recursive self-aggregation (RSA, arXiv 2509.26626): answers aggregated from random subsets, loop after loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import References, answer_of, response_of
from leap_lab.methods.rounds import begin, share, succeed, think
from leap_lab.methods.writer import Writer
from leap_lab.path import Path, Route
from leap_lab.seeds import rng_for

QUOTED = ("response", "answer")


@dataclass(frozen=True)
class Rsa(Method):
    """A population of N responses. Loop 0 is independent sampling; in each of the other T - 1 `loops` (T counts all)
    every place of the population is written anew, from a prompt with K = `subset` different members of the last
    population, drawn uniformly and for each place by itself. No path remembers anything else.

    `aggregate` is the prompt with several members, `refine` that with a single one (K = 1, which is self-refinement).
    With `quote=response` a member is quoted with its thinking, as the released code does, with `quote=answer` by what
    follows the thinking. The last population is returned; earlier members of a place are its helpers. Its vote is the
    group's decision. `max_tokens` is the budget of a place over all loops, answers of earlier loops included; a loop
    may think for an equal share of what is left. Beginnings apply to loop 0. A path's route says whom it read.

    Sampled: at most N x max_tokens and the last answers. Prompts: N x T, in all loops but the first with about K
    responses each.

    Unlike in the released code, the budget is one over all loops; seeds are our own; a response is quoted on one line,
    without tags and control tokens, and the longest are cut from the front where they would take more than half of the
    context. Its options to summarize candidates and to verify them are left out.
    """

    aggregate: str
    refine: str
    loops: int = 3
    subset: int = 4
    quote: Literal["response", "answer"] = "response"

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """K of N members, and a budget that all loops share."""
        super().check(peers, context)
        checks.integer("method.loops", self.loops, 1, self.max_tokens)
        checks.integer("method.subset", self.subset, 1)
        checks.one_of("method.quote", self.quote, QUOTED)
        if self.subset > peers:
            raise UserError(f"method.subset={self.subset}: different members of a population; must be <= peers={peers}")
        References(self.aggregate, "method.aggregate").check()
        References(self.refine, "method.refine").check()

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode loop after loop; the last population is returned."""
        writer = self.writer(job, engine)
        population = writer.begin()
        for loop in range(self.loops):
            if loop:
                population = self._after(population, loop, writer)
            left = self.loops - loop
            await think(writer, population, loop, (share(member, self.max_tokens, left) for member in population))
        return population

    def _after(self, before: Sequence[Path], loop: int, writer: Writer) -> list[Path]:
        """The places of the next population, each with members of the last one to read."""
        drawn = [self._drawn(writer.job, loop, place) for place in range(len(before))]
        prompts = [self._references.prompt([self._said(before[at], writer) for at in some], writer) for some in drawn]
        population = succeed(begin(writer, loop, prompts, before), before)
        for member, some in zip(population, drawn, strict=True):
            member.routes.append(Route(loop, tuple(some), ()))
        return population

    def _drawn(self, job: Job, loop: int, place: int) -> list[int]:
        rng = rng_for(job.seed, job.problem.id, job.group, loop, "subset", place)
        return rng.sample(range(job.peers), self.subset)

    def _said(self, path: Path, writer: Writer) -> str:
        return answer_of(path) if self.quote == "answer" else response_of(path, writer.tokens)

    @property
    def _references(self) -> References:
        if self.subset == 1:
            return References(self.refine, "method.refine")
        return References(self.aggregate, "method.aggregate")
