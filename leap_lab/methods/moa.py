"""Mixture of agents (Appendix F): layers of agents, each of which sees the answers of the previous layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import References, answer_of
from leap_lab.methods.rounds import begin, share, succeed, think
from leap_lab.methods.writer import Writer
from leap_lab.path import Path


@dataclass(frozen=True)
class Moa(Method):
    """Several layers of N agents. The first layer is independent sampling. Every later layer has one new prompt for all
    its agents: the question and all answers of the previous layer, as received words (`Kind.COMMENT`).

    The agents of the last layer are returned. An agent's paths in earlier layers are its helpers, so every layer is on
    the bill. `max_tokens` is an agent's own budget over all layers, earlier answers included: N agents may spend what N
    independent paths may. A layer may think for an equal share of what is left; what it does not use goes to later
    layers, and an agent with nothing left answers at once. `answer_tokens` is the room for a forced answer. Beginnings
    apply to the first layer. `aggregate` is the user message from the second layer on (`References`).
    """

    aggregate: str
    layers: int = 4

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """The layers share one budget, and the later ones need a template that quotes the earlier ones."""
        super().check(peers, context)
        checks.integer("method.layers", self.layers, 1)
        self._references.check()
        if self.layers > self.max_tokens:
            raise UserError(
                f"method.layers={self.layers}: they share one budget; must be <= method.max_tokens={self.max_tokens}"
            )

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode layer after layer; the paths of the last one are returned."""
        writer = self.writer(job, engine)
        agents = writer.begin()
        for layer in range(self.layers):
            if layer:
                agents = self._after(agents, layer, writer)
            left = self.layers - layer
            await think(writer, agents, layer, (share(agent, self.max_tokens, left) for agent in agents))
        return agents

    @property
    def _references(self) -> References:
        return References(self.aggregate, "method.aggregate")

    def _after(self, before: Sequence[Path], layer: int, writer: Writer) -> list[Path]:
        """The agents of the next layer, each with the bill of its predecessor."""
        parts = self._references.prompt([answer_of(path) for path in before], writer)
        return succeed(begin(writer, layer, [parts] * len(before), before), before)
