"""Methods in rounds whose paths name themselves and their round, and what each was sent."""

import asyncio

from leap_lab.engines.base import Completion, Request, Sampling
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.methods.debate import Debate
from leap_lab.methods.genselect import Genselect
from leap_lab.methods.moa import Moa
from leap_lab.methods.pacore import Pacore
from leap_lab.methods.rsa import Rsa
from leap_lab.path import Path
from leap_lab.tasks.problem import Problem
from tests.doubles import AGGREGATE, PROMPTS, QUESTION, job, who

SELECT = AGGREGATE.replace("END", "SELECT")


def _settings(changes: dict) -> dict:
    return {"max_tokens": 300, "answer_tokens": 4, "sampling": Sampling(), "prompts": PROMPTS} | changes


def moa(**changes) -> Moa:
    return Moa(**({"aggregate": AGGREGATE, "layers": 3} | _settings(changes)))


def rsa(**changes) -> Rsa:
    refine = AGGREGATE.replace("REFERENCES", "ONE")
    return Rsa(**({"aggregate": AGGREGATE, "refine": refine, "subset": 2} | _settings(changes)))


def pacore(**changes) -> Pacore:
    return Pacore(**({"synthesize": AGGREGATE} | _settings(changes)))


def debate(**changes) -> Debate:
    return Debate(**({"update": AGGREGATE} | _settings(changes)))


def genselect(**changes) -> Genselect:
    return Genselect(**({"select": SELECT, "synthesize": AGGREGATE} | _settings(changes)))


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
    """Every agent names itself and its layer; one that selects takes the second of what it compares."""
    agent, layer = who(request)
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("BEST:"):
        return " 1\n"
    if text.endswith("</think>"):
        return "BEST: 2" if selects(text) else f"agent {agent} of layer {layer}: \\boxed{{2}}"
    return "hm" * (agent + 1) + "</think>"


def selects(text: str) -> bool:
    """Whether a prompt asks for a selection."""
    return "\nSELECT[assistant]" in text


def solve(method, script=talk, peers=2, problem: Problem = QUESTION, **engine) -> tuple[list[Path], Engine]:
    scripted = Engine(script, **engine)
    return asyncio.run(method.solve(job(peers, problem=problem), scripted)), scripted


def sent(engine: Engine, layer: int, agent: int = 0) -> list[str]:
    """The prompts that one agent of a layer was sent, in order."""
    mine = [request for request in engine.requests if who(request) == (agent, layer)]
    return [engine.tokens.decode(request.prompt) for request in mine]


def references(*texts: str, last: str = "END") -> str:
    lines = "".join(f'Answer {number}: "{text}"\n' for number, text in enumerate(texts, start=1))
    return f"[user]Q: 1+1\nREFERENCES\n{lines}{last}[assistant]<think>\n"
