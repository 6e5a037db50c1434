"""How paths exchange words: with tags inside their own text, or in the user's message.

Tags are the method's own form (Section 3), for models that think or were trained on them. A model that answers without
thinking takes whatever stands in its answer for what it has to write, so there the runtime speaks as the user. Any
model can have its peers' words on a board, in the user's message, in the place of the comments in its own text.
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
    def again(self) -> bool:
        """Whether a path is asked its question again after a block, and goes on with its own words so far."""
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

    def comment(self, problem: Problem, summaries: Sequence[str], plain: Plain) -> str:
        """What peers wrote, or that there is nothing: a text that reasoning follows, or with `again` the question."""
        ...


@dataclass(frozen=True)
class Tagged:
    """`<summarize>` and `<comment>` in the path's own text."""

    prompts: Prompts
    explained: bool = True  # whether the question speaks of the tags; only then does a path imitate them

    stop: ClassVar[tuple[str, ...]] = (SUMMARY_CLOSE,)
    unclosed: ClassVar[str] = f" {SUMMARY_CLOSE}"
    again: ClassVar[bool] = False

    @property
    def own(self) -> tuple[str, ...]:
        return (SUMMARY_OPEN, f"<{self.prompts.tag}>") if self.explained else ()

    def ask(self, problem: Problem) -> tuple[str, str]:
        if not self.explained:
            return self.prompts.question(problem), ""
        return self.prompts.user(problem), self.prompts.opening()

    def request(self, rng: Random) -> str:
        return self.prompts.summary_request(rng)

    def requests(self) -> list[str]:
        return [f"{trigger}\n{template}" for trigger in self.prompts.triggers for template in self.prompts.templates]

    def comment(self, problem: Problem, summaries: Sequence[str], plain: Plain) -> str:
        return self.prompts.comment(summaries, plain)


@dataclass(frozen=True)
class AtFront:
    """Notes at the front, in the user's message: `before` and `after` are what the chat template puts around one.

    A path is asked for a summary in a next turn, which it then forgets. It is asked its question again, with what peers
    wrote, and goes on where it stood, in mid-sentence if need be. So there is no form that it could imitate.
    """

    prompts: Prompts
    before: str
    after: str

    stop: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()
    unclosed: ClassVar[str] = ""
    again: ClassVar[bool] = True

    def ask(self, problem: Problem) -> tuple[str, str]:
        return self.prompts.question(problem), ""

    def request(self, rng: Random) -> str:
        return rng.choice(self.requests())

    def requests(self) -> list[str]:
        return [f"{self.before}{asked}{self.after}{self.prompts.asked_lead}" for asked in self.prompts.asked]

    def comment(self, problem: Problem, summaries: Sequence[str], plain: Plain) -> str:
        return self.prompts.question(problem, self.prompts.noted(summaries, plain))


@dataclass(frozen=True)
class BoardText:
    """The user's message with a board: `template` names the {question} and the {references}, what peers wrote.

    Each of them is a line that names its `speaker`. With `empty` the message is the same while nobody has written
    anything; otherwise it is the question alone.
    """

    template: str
    speaker: str = "Peer"
    empty: bool = False

    def message(self, question: str, texts: Sequence[str], prompts: Prompts, plain: Plain) -> str:
        """The message; what chat templates would read as their own is taken out of `texts`."""
        if not texts and not self.empty:
            return question
        references = prompts.numbered(self.speaker, texts, plain)
        return self.template.format(question=question, references=references).rstrip()


@dataclass(frozen=True)
class OnBoard:
    """A board at the front, in the user's message. Where a path is to write a summary it is asked for it as in `asks`.

    After a block the path is asked again with the board as it then is, and goes on where it stood: as `AtFront`.
    """

    prompts: Prompts
    board: BoardText
    asks: Tagged | AtFront

    again: ClassVar[bool] = True

    @property
    def stop(self) -> tuple[str, ...]:
        return self.asks.stop

    @property
    def own(self) -> tuple[str, ...]:
        return self.asks.own

    @property
    def unclosed(self) -> str:
        return self.asks.unclosed

    def ask(self, problem: Problem) -> tuple[str, str]:
        return self.comment(problem, [], str), self.asks.ask(problem)[1]

    def request(self, rng: Random) -> str:
        return self.asks.request(rng)

    def requests(self) -> list[str]:
        return self.asks.requests()

    def comment(self, problem: Problem, summaries: Sequence[str], plain: Plain) -> str:
        return self.board.message(self.asks.ask(problem)[0], summaries, self.prompts, plain)


def form_of(prompts: Prompts, tokens: Tokens, explained: bool = True, board: BoardText | None = None) -> Form:
    """Tags, unless `prompts.form` is `auto` and the model does not think but takes turns; or else a board."""
    turn = tokens.form.turn
    answers = prompts.form == "auto" and not tokens.form.thinks
    form = AtFront(prompts, *turn) if answers and turn is not None else Tagged(prompts, explained)
    return OnBoard(prompts, board, form) if board else form
