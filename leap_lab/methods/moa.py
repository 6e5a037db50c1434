"""Mixture of agents (Appendix F): layers of agents, each of which sees the answers of the layer before it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from leap_lab.engines.base import Engine, Sampling
from leap_lab.methods.base import Job
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path, wait_for_all
from leap_lab.prompts import Prompts

Part = tuple[Kind, list[int]]


@dataclass(frozen=True)
class Moa:
    """`layers` layers of N agents. The first layer is independent sampling; each further one has a new prompt, the same
    for all its agents: the question and all answers of the layer before, which are received words (`Kind.COMMENT`).

    The agents of the last layer come back. An agent's paths in earlier layers are its helpers, so that every layer is
    on the bill. `max_tokens` is an agent's own budget over all layers, earlier answers included: N agents may spend
    what N independent paths may. A layer may think for an equal share of what is left; what it does not use goes to
    later layers, and an agent that has nothing left answers at once. `answer_tokens` is the room for a forced answer.
    Beginnings are those of the first layer.
    """

    max_tokens: int
    answer_tokens: int
    sampling: Sampling
    prompts: Prompts
    layers: int = 4

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode layer after layer; the last one's paths come back."""
        writer = Writer(job, engine, self.prompts, self.sampling, self.max_tokens, self.answer_tokens)
        agents = writer.begin()
        for layer in range(self.layers):
            if layer:
                agents = self._after(agents, layer, writer)
            thinking = (writer.think_to_the_end(agent, layer, self._share(agent, layer)) for agent in agents)
            await asyncio.gather(*thinking)
        return agents

    def _share(self, agent: Path, layer: int) -> int:
        """Tokens that the agent may think for in this layer."""
        spent = sum(earlier.sampled for earlier in agent.helpers)
        return max(0, self.max_tokens - spent) // (self.layers - layer)

    def _after(self, before: Sequence[Path], layer: int, writer: Writer) -> list[Path]:
        """The agents of the next layer, each with the bill of its predecessor."""
        parts = self._prompt([answer(path) for path in before], writer)
        agents = writer.blank()
        wait_for_all(before)
        for agent, earlier in zip(agents, before, strict=True):
            for kind, tokens in parts:
                agent.add(kind, layer, tokens, writer.engine.decode(tokens))
            agent.started_s, agent.chain = earlier.started_s, earlier.chain
            agent.helpers, earlier.helpers = [*earlier.helpers, earlier], []
        return agents

    def _prompt(self, answers: Sequence[str], writer: Writer) -> list[Part]:
        """The question with references, which get up to half of the context that it leaves; the rest is to think in.

        Where they need more each keeps its end, where the conclusion stands, and the longest are cut first. Where there
        is no room at all the agent gets the question as the first layer did.
        """
        problem, engine = writer.job.problem, writer.engine
        bare = writer.prompt(self.prompts.with_references(problem, []))
        room = writer.room(bare) // 2
        kept = room
        while kept > 0:
            references = [_end(answer, kept, engine) for answer in answers]
            full = writer.prompt(self.prompts.with_references(problem, references))
            if len(full) - len(bare) <= room:
                return _parts(full, bare)
            kept = kept * 3 // 4
        return [(Kind.PROMPT, writer.prompt(self.prompts.user(problem), self.prompts.opening()))]


def answer(path: Path) -> str:
    """What an agent tells the next layer: its answer, or its thinking where it ended its turn in there."""
    return path.final.strip() or path.thinking


def _end(text: str, kept: int, engine: Engine) -> str:
    """The last `kept` tokens of a text, marked where something is missing."""
    tokens = engine.encode(text)
    return text if len(tokens) <= kept else f"... {engine.decode(tokens[-kept:])}"


def _parts(full: list[int], bare: list[int]) -> list[Part]:
    """A prompt as who wrote it: what it has beyond `bare` came from other agents."""
    start = _common(full, bare)
    end = len(full) - _common(full[start:][::-1], bare[start:][::-1])
    return [(Kind.PROMPT, full[:start]), (Kind.COMMENT, full[start:end]), (Kind.PROMPT, full[end:])]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
