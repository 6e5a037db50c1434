"""Small honest doubles that several test modules share."""

import signal
from typing import Any

from leap_lab.engines.base import Completion, Engine, EngineWrapper, Request, Sampling
from leap_lab.methods.job import Job
from leap_lab.methods.leap import Leap
from leap_lab.prompts import Prompts
from leap_lab.routing import Dispersed, Router
from leap_lab.tasks.problem import Problem


def as_in_a_terminal() -> None:
    """For `preexec_fn`: a shell's background jobs ignore Ctrl-C, nohup's hang-ups, and their children would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


PROMPTS = Prompts(
    math="Q: {problem}",
    choice="Q: {problem} {options}",
    triggers=("TRIGGER",),
    templates=("<summarize>",),
    heard="HEARD",
    alone="ALONE",
    force_math="\\boxed{{",
    force_choice="ANSWER:",
)
AGGREGATE = "{question}\nREFERENCES\n{references}\nEND"  # of a mixture of agents
QUESTION = Problem("q", "1+1", "2")


def job(peers: int = 2, group: int = 0, seed: int = 7, problem: Problem = QUESTION) -> Job:
    return Job(problem, group, peers, seed)


def who(request: Request) -> tuple[int, int]:
    """The index of the path that a request is for, and the turn."""
    assert request.purpose is not None
    return request.purpose.path, request.purpose.turn


def leap(router: Router | None = None, **changes: Any) -> Leap:
    settings: dict[str, Any] = {"interval": 20, "max_tokens": 200, "summary_tokens": 30, "answer_tokens": 4} | changes
    settings.setdefault("prompts", PROMPTS)
    return Leap(sampling=Sampling(), router=router or Dispersed(2), **settings)


class Killed(BaseException):
    """As abrupt as a kill: nothing that handles exceptions may handle it."""


class Mortal(EngineWrapper):
    """Dies after so many requests."""

    def __init__(self, engine: Engine, requests: int) -> None:
        super().__init__(engine)
        self.left = requests

    async def generate(self, request: Request) -> Completion:
        if not self.left:
            raise Killed
        self.left -= 1
        return await super().generate(request)
