"""Engines that judge: they say yes or no by what stands in the prompt, as a model would."""

import re
from collections.abc import Callable
from typing import ClassVar

from leap_lab.engines.base import EngineDied, Request
from leap_lab.engines.models import Model
from leap_lab.engines.scripted import ScriptedEngine

GIVEN = re.compile(r'^Answer 2: "(.*)"$', re.MULTILINE)


def judge(say: Callable[[str], str]) -> ScriptedEngine:
    """A judge that writes `say(answer)` after its thinking, and again where it is asked for its answer in a box."""

    def script(text: str, request: Request) -> str:
        if request.purpose is not None and request.purpose.phase == "think":
            return "I compare them.</think>"
        return say(GIVEN.findall(text)[-1])

    return ScriptedEngine(script)


class EvenSettings:
    """`_target_: tests.judges.EvenSettings`: says yes to answers that end in an even digit, and counts itself."""

    uses_model = False
    asked: ClassVar[list[str]] = []  # answers that all engines were asked about
    fails_after = 10**9

    def __init__(self, max_model_len: int, **fields: object) -> None:
        self.max_model_len = max_model_len

    def check(self, model: Model) -> None:
        """Any model will do."""

    def identity(self) -> dict[str, object]:
        return {}

    async def start(self, model: Model) -> ScriptedEngine:
        def say(answer: str) -> str:
            if len(EvenSettings.asked) >= EvenSettings.fails_after:
                raise EngineDied("the judge is gone")
            EvenSettings.asked.append(answer)
            return "\\boxed{yes}" if answer[-1] in "02468" else "\\boxed{no}"

        return judge(say)
