"""What the runtime writes into the paths of a group, as tokens: their prompt, peers' words, what ends thinking."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from leap_lab.engines.base import Tokens
from leap_lab.methods.cutting import PARAGRAPH
from leap_lab.methods.forms import Form
from leap_lab.tasks.problem import Problem


def chat_prompt(tokens: Tokens, user: str, opening: str = "") -> list[int]:
    """The chat template around a user message, the thinking opened where the model thinks, and its first words."""
    return tokens.chat(user, tokens.form.opening + opening)


@dataclass(frozen=True)
class Words:
    """The words of one group, in the form in which its paths exchange theirs."""

    form: Form
    problem: Problem
    tokens: Tokens

    def prompt(self, user: str | None = None) -> list[int]:
        """The prompt of a path: the question or another message of the user, and the first words of the thinking."""
        question, opening = self.form.ask(self.problem)
        return chat_prompt(self.tokens, question if user is None else user, opening)

    def comment(self, texts: Sequence[str]) -> list[int]:
        """What peers wrote: a stretch of text that reasoning follows, or where the question is asked again a prompt."""
        text = self.form.comment(self.problem, texts, self.tokens.plain)
        return self.prompt(text) if self.form.again else self.tokens.encode(text)

    @cached_property
    def stops(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What ends a stretch of thinking: strings, and the id of the closing mark where it is one token."""
        close, identity = self.tokens.form.close, self.tokens.close_id
        if identity is not None:
            return self.form.own, (identity,)
        return ((close,) if close else ()) + self.form.own, ()

    @cached_property
    def exchange_tokens(self) -> int:
        """The most that a trigger, a closing tag and an empty comment take."""
        longest = max(len(self.tokens.encode(PARAGRAPH + request)) for request in self.form.requests())
        comment = "" if self.form.again else self.form.comment(self.problem, [], self.tokens.plain)
        return longest + len(self.tokens.encode(self.form.unclosed + comment))
