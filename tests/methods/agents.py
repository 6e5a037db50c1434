"""Mixtures of agents that name themselves and their layer, and what each was sent."""

import asyncio

from leap_lab.engines.base import Completion, Request, Sampling
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.methods.moa import Moa
from leap_lab.path import Path
from leap_lab.tasks.problem import Problem
from tests.doubles import AGGREGATE, PROMPTS, QUESTION, job, who


def moa(**changes) -> Moa:
    settings = {"layers": 3, "max_tokens": 300, "answer_tokens": 4, "sampling": Sampling(), "prompts": PROMPTS}
    return Moa(**({"aggregate": AGGREGATE} | settings | changes))


class Engine(ScriptedEngine):
    """Keeps how many tokens each request sampled."""

    def __init__(self, *arguments, **keys) -> None:
        super().__init__(*arguments, **keys)
        self.sampled: list[int] = []

    async def generate(self, request: Request) -> Completion:
        done = await super().generate(request)
        self.sampled.append(len(done.tokens))
        return done


def talk(text: str, request: Request) -> str:
    """Every agent names itself and its layer."""
    agent, layer = who(request)
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("</think>"):
        return f"agent {agent} of layer {layer}: \\boxed{{2}}"
    return "hm" * (agent + 1) + "</think>"


def solve(method, script=talk, peers=2, problem: Problem = QUESTION, **engine) -> tuple[list[Path], Engine]:
    scripted = Engine(script, **engine)
    return asyncio.run(method.solve(job(peers, problem=problem), scripted)), scripted


def sent(engine: Engine, layer: int, agent: int = 0) -> list[str]:
    """The prompts that one agent of a layer was sent, in order."""
    mine = [request for request in engine.requests if who(request) == (agent, layer)]
    return [engine.tokens.decode(request.prompt) for request in mine]


def references(*texts: str) -> str:
    lines = "".join(f'Answer {number}: "{text}"\n' for number, text in enumerate(texts, start=1))
    return f"[user]Q: 1+1\nREFERENCES\n{lines}END[assistant]<think>\n"
