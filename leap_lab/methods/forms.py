"""How paths exchange words: with tags inside their own text, or in turns of the conversation.

Tags are the method's own form (Section 3), for models that think or were trained on them. In turns the runtime speaks
as the user: it asks for a summary, then hands over what peers wrote. A model that answers without thinking is used to
that, and has no form of its own to imitate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol

from leap_lab.engines.base import Tokens
from leap_lab.prompts import SUMMARY_CLOSE, SUMMARY_OPEN, Plain, Prompts
from leap_lab.tasks.problem import Problem


class Form(Protocol):
    """What the runtime writes around a summary and around peers' words."""

    @property
    def stop(self) -> tuple[str, ...]:
        """What ends a summary, besides the end of the model's turn."""
        ...

    @property
    def own(self) -> tuple[str, ...]:
        """What a path must not write of its own accord: the openings of this form."""
        ...

    @property
    def unclosed(self) -> str:
        """What is written after a summary that did not end."""
        ...

    @property
    def resumes(self) -> bool:
        """Whether a path goes on in a new message, which starts with its own words so far."""
        ...

    def ask(self, problem: Problem) -> tuple[str, str]:
        """The user message, and the words that the thinking starts with."""
        ...

    def request(self, rng: Random) -> str:
        """What makes the path write a summary; the summary follows it."""
        ...

    def requests(self) -> list[str]:
        """All that `request` draws from."""
        ...

    def comment(self, summaries: Sequence[str], plain: Plain) -> str:
        """What peers wrote, or that there is nothing; the path's own reasoning follows it."""
        ...


@dataclass(frozen=True)
class Tagged:
    """`<summarize>` and `<comment>` in the path's own text."""

    prompts: Prompts

    stop: ClassVar[tuple[str, ...]] = (SUMMARY_CLOSE,)
    unclosed: ClassVar[str] = f" {SUMMARY_CLOSE}"
    resumes: ClassVar[bool] = False

    @property
    def own(self) -> tuple[str, ...]:
        return SUMMARY_OPEN, f"<{self.prompts.tag}>"

    def ask(self, problem: Problem) -> tuple[str, str]:
        return self.prompts.user(problem), self.prompts.opening()

    def request(self, rng: Random) -> str:
        return self.prompts.summary_request(rng)

    def requests(self) -> list[str]:
        return [f"{trigger}\n{template}" for trigger in self.prompts.triggers for template in self.prompts.templates]

    def comment(self, summaries: Sequence[str], plain: Plain) -> str:
        return self.prompts.comment(summaries, plain)


@dataclass(frozen=True)
class InTurns:
    """Messages of the user: `before` and `after` are what the chat template puts around one."""

    prompts: Prompts
    before: str
    after: str

    stop: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()
    unclosed: ClassVar[str] = ""
    resumes: ClassVar[bool] = True

    def ask(self, problem: Problem) -> tuple[str, str]:
        return self.prompts.question(problem), ""

    def request(self, rng: Random) -> str:
        return rng.choice(self.requests())

    def requests(self) -> list[str]:
        return [f"{self.before}{asked}{self.after}{self.prompts.asked_lead}" for asked in self.prompts.asked]

    def comment(self, summaries: Sequence[str], plain: Plain) -> str:
        return f"{self.before}{self.prompts.told(summaries, plain)}{self.after}{self.prompts.turn_lead}"


@dataclass(frozen=True)
class InProse:
    """Notes in the path's own text, without tags: a paragraph is the summary, another one what peers wrote."""

    prompts: Prompts

    stop: ClassVar[tuple[str, ...]] = ("\n",)
    unclosed: ClassVar[str] = "\n"
    resumes: ClassVar[bool] = False

    @property
    def own(self) -> tuple[str, ...]:
        return ("Peer 1:",)

    def ask(self, problem: Problem) -> tuple[str, str]:
        return self.prompts.question(problem), ""

    def request(self, rng: Random) -> str:
        return rng.choice(self.requests())

    def requests(self) -> list[str]:
        return list(self.prompts.noted)

    def comment(self, summaries: Sequence[str], plain: Plain) -> str:
        return f"\n{self.prompts.noted_down(summaries, plain)}\n\n"


def form_of(prompts: Prompts, tokens: Tokens) -> Form:
    """The form of an exchange: as `prompts.form` says; `auto` takes turns with models that do not think."""
    turn = tokens.form.turn
    in_turns = prompts.form == "turns" or (prompts.form == "auto" and not tokens.form.thinks)
    if in_turns and turn is not None and prompts.asked:
        return InTurns(prompts, *turn)
    if prompts.form == "prose":
        return InProse(prompts)
    return Tagged(prompts)
