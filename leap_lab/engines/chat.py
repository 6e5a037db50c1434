"""How a model is spoken to: what the user sets, and what its chat template shows when it is rendered.

Nothing here goes by a model's name. The marks of thinking are those that the template mentions; whether thinking is on
is seen from the end of a rendered prompt, and from what changes when the template's own switch is turned.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Thinking = Literal["auto", "on", "off"]
Render = Callable[..., str]  # messages, and the template's arguments
State = Literal["open", "bare", "closed", "none"]

DATE = "2026-01-01"  # of templates that print the date: never the day of the run
SWITCHES = ("enable_thinking", "thinking")  # template arguments that turn thinking on and off
# A model that was trained on them reads these words as commands, wherever they stand.
COMMANDS = re.compile(r"(?<!<)/(?=(?:no_?)?think\b)", re.IGNORECASE)
USER, REPLY, AGAIN = "\u2039asked\u203a", "\u2039answered\u203a", "\u2039asked again\u203a"


@dataclass(frozen=True)
class Marks:
    """What opens and closes thinking. `lead` follows the opening, `answer` opens the answer where words are needed."""

    open: str
    close: str
    lead: str = ""
    answer: str = ""


TAGS = Marks("<think>", "</think>", "\n")
HARMONY = Marks(
    "<|channel|>analysis<|message|>", "<|end|>", answer="<|start|>assistant<|channel|>final<|message|>"
)  # gpt-oss
KNOWN = (
    HARMONY,
    Marks("<|channel>thought\n", "<channel|>"),  # Gemma 4
    Marks("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere
    Marks("<seed:think>", "</seed:think>", "\n"),  # Seed-OSS
    Marks("[THINK]", "[/THINK]"),  # Mistral
    TAGS,
)


@dataclass(frozen=True)
class ChatSettings:
    """`model.thinking` and `model.chat`: how to speak to a model. What is not set is found from its template.

    `template` is a file or `plain`, for a base model; `date` is what a template that prints the date gets, as
    YYYY-MM-DD. `think_open`, `think_close` and `answer_open` replace the marks that were found; `arguments` are
    arguments of the template, such as `enable_thinking` or `reasoning_effort`.
    """

    thinking: Thinking = "auto"
    system: str | None = None
    template: str | None = None
    date: str = DATE
    think_open: str | None = None
    think_close: str | None = None
    answer_open: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chat:
    """How one model takes turns and thinks, as text whose control tokens its tokenizer knows.

    `opening` is written after the rendered prompt, so that the model's own words come next; `close` ends thinking, and
    is empty where the model does not think. `closing` is what the runtime writes to end thinking itself, `answer` what
    it writes before an answer. `turn` stands before and after a further message of the user; None where the template
    refuses one. `state` is what the template left: thinking opened, left to the model, closed, or unknown to it.
    """

    state: State = "open"
    opening: str = ""
    close: str = "</think>"
    closing: str = "\n</think>"
    answer: str = ""
    turn: tuple[str, str] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)  # what the template was rendered with

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it answers; else its answer is all there is."""
        return bool(self.close)


class Unsuitable(ValueError):
    """Settings that the template cannot follow; the message names the setting."""


def found(settings: ChatSettings, template: str, render: Render) -> Chat:
    """The chat of a model from its `template` and from what it renders; `Unsuitable` for settings that do not fit."""
    _check_arguments(settings.arguments, template)
    marks, arguments = _marks(settings, template), dict(settings.arguments)
    state, switch = _state(marks, template, render, arguments), _switch(template, arguments)
    if switch and settings.thinking != "auto":
        arguments[switch] = settings.thinking == "on"
        state = _state(marks, template, render, arguments)
    if settings.thinking == "on" and state == "closed":
        raise Unsuitable("model.thinking=on: the template closes the thinking and has no switch; use auto or off")
    thinks = settings.thinking == "on" or (settings.thinking == "auto" and state in ("open", "bare"))
    chat = _thinking(marks, state, arguments) if thinks else _answering(marks, state, arguments)
    return replace(chat, turn=_turn(render, arguments, chat.opening))


def _thinking(marks: Marks, state: State, arguments: Mapping[str, Any]) -> Chat:
    opening = "" if state == "open" else marks.open + marks.lead
    closing = f"\n{marks.close}" if marks.lead else marks.close + marks.answer
    return Chat(state, opening, marks.close, closing, marks.answer, arguments=arguments)


def _answering(marks: Marks, state: State, arguments: Mapping[str, Any]) -> Chat:
    """A model that does not think, or is kept from it: by its template or, where that has no switch, by the runtime."""
    opening = ""
    if state == "open":
        opening = f"\n{marks.close}\n\n" if marks.lead else marks.close + marks.answer
    elif state == "bare":
        opening = f"{marks.open}\n\n{marks.close}\n\n" if not marks.answer else marks.answer.partition("assistant")[2]
    return Chat(state, opening, "", "", arguments=arguments)


def _marks(settings: ChatSettings, template: str) -> Marks:
    """The marks that are set, else those that the template mentions, else the usual tags."""
    plain = template.replace("\\n", "\n")
    marks = next((each for each in KNOWN if each.open in plain or (each.close in plain and each is not HARMONY)), TAGS)
    given = {"open": settings.think_open, "close": settings.think_close, "answer": settings.answer_open}
    return replace(marks, **{name: value for name, value in given.items() if value is not None})


def _state(marks: Marks, template: str, render: Render, arguments: Mapping[str, Any]) -> State:
    """What the end of a rendered prompt leaves of the thinking."""
    end = _end(render, arguments)
    if end.rfind(marks.close) > end.rfind(marks.open):
        return "closed"
    if marks.open.rstrip() in end:
        return "open"
    if marks.open.strip() not in template and marks.close not in template:
        return "none"
    return "none" if _is_off(template, render, arguments) else "bare"


def _is_off(template: str, render: Render, arguments: Mapping[str, Any]) -> bool:
    """Whether the template's switch is off: with it off nothing changes, and with it on something does."""
    switch = next((each for each in SWITCHES if each in template), None)
    if switch is None:
        return False
    now, off, on = (
        render([_message("user", USER)], **(dict(arguments) | change))
        for change in ({}, {switch: False}, {switch: True})
    )
    return now == off != on


def _switch(template: str, arguments: Mapping[str, Any]) -> str | None:
    """The template's switch of thinking, unless it is set by hand."""
    return next((each for each in SWITCHES if each in template and each not in arguments), None)


def _end(render: Render, arguments: Mapping[str, Any]) -> str:
    return render([_message("user", USER)], **arguments).rpartition(USER)[2]


def _turn(render: Render, arguments: Mapping[str, Any], opening: str) -> tuple[str, str] | None:
    """What stands before and after a second message of the user, after words of the model."""
    messages = [_message("user", USER), _message("assistant", REPLY), _message("user", AGAIN)]
    try:
        rest = render(messages, **arguments).partition(REPLY)[2]
    except Unsuitable:
        return None
    before, found_again, after = rest.partition(AGAIN)
    return (before, after + opening) if found_again else None


def _check_arguments(arguments: Mapping[str, Any], template: str) -> None:
    """A switch that the template does not read would do nothing, unnoticed."""
    for name in arguments:
        if not re.search(rf"\b{re.escape(name)}\b", template):
            raise Unsuitable(f"model.chat.{name}: the model's chat template does not use it; leave it out")


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
