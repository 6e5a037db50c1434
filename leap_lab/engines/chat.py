"""How a model is spoken to: what the user sets, and what its chat template shows when it is rendered.

Nothing here goes by a model's name. The marks of thinking are those that the template mentions; whether thinking is on
is seen from the end of a rendered prompt, and from what changes when the template's own switch is turned.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from leap_lab.engines.templates import Unsuitable, variables

Thinking = Literal["auto", "on", "off"]
Render = Callable[..., str]  # messages, and the template's arguments
State = Literal["open", "bare", "closed", "none"]

DATE = "2026-01-01"  # of templates that print the date: never the day of the run
SWITCHES = ("enable_thinking", "thinking", "reasoning")  # template arguments that turn thinking on and off
RESERVED = {"messages", "tools", "add_generation_prompt", "continue_final_message", "strftime_now"}  # of the runtime
# A model that was trained on them reads these words as commands, wherever they stand.
COMMANDS = re.compile(r"/(?=(?:no_?)?think)", re.IGNORECASE)
USER, REPLY, AGAIN = "\u2039asked\u203a", "\u2039answered\u203a", "\u2039asked again\u203a"


@dataclass(frozen=True)
class Marks:
    """What opens and closes thinking. `lead` follows the opening, `answer` opens the answer where words are needed."""

    open: str
    close: str
    lead: str = ""
    answer: str = ""


TAGS = Marks("<think>", "</think>", "\n")
STARTS = "<|start|>assistant"  # of a message in the channels of gpt-oss
HARMONY = Marks("<|channel|>analysis<|message|>", "<|end|>", answer=f"{STARTS}<|channel|>final<|message|>")
KNOWN = (
    HARMONY,
    Marks("<|channel>thought", "<channel|>", "\n"),  # Gemma 4
    Marks("<|START_THINKING|>", "<|END_THINKING|>", answer="<|START_RESPONSE|>"),  # Cohere
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


def found(settings: ChatSettings, template: str, render: Render) -> Chat:
    """The chat of a model from its `template` and from what it renders; `Unsuitable` for settings that do not fit."""
    _check_arguments(settings.arguments, template)
    if USER not in _asked(render, settings.arguments):
        raise Unsuitable("model.chat: the chat template leaves out the question; set model.chat.template=FILE")
    marks, arguments = marks_of(settings, template), dict(settings.arguments)
    switch = _switch(template, render, arguments)
    if switch and settings.thinking != "auto":
        if switch in arguments:
            raise Unsuitable(f"model.thinking={settings.thinking} and model.chat.{switch}: set only one of them")
        arguments[switch] = settings.thinking == "on"
    state = _state(marks, template, render, arguments, switch)
    if settings.thinking == "on" and state == "closed":
        raise Unsuitable("model.thinking=on: the chat template closes the thinking and has no switch; use auto or off")
    thinks = settings.thinking == "on" or (settings.thinking == "auto" and state in ("open", "bare"))
    if thinks:
        gap = _gap(marks, render, arguments, switch) if switch else ""
        chat = _thinking(marks, state, arguments, gap)
    else:
        chat = _answering(marks, state, arguments, _end(render, arguments), settings.answer_open or "")
    return replace(chat, turn=_turn(render, arguments, chat.opening))


def marks_of(settings: ChatSettings, template: str) -> Marks:
    """The marks that are set, else those that the template mentions, else the usual tags."""
    marks = next((each for each in KNOWN if _mentions(template, each)), TAGS)
    if settings.think_open is not None:
        opens = settings.think_open.rstrip("\n")
        marks = replace(marks, open=opens, lead=settings.think_open[len(opens) :])
    given = {"close": settings.think_close, "answer": settings.answer_open}
    return replace(marks, **{name: value for name, value in given.items() if value is not None})


def _mentions(template: str, marks: Marks) -> bool:
    """Whether the template has one of the marks; the closing one of gpt-oss closes every message of others too."""
    return marks.open in template or (marks.close in template and marks.close != HARMONY.close)


def _thinking(marks: Marks, state: State, arguments: Mapping[str, Any], gap: str) -> Chat:
    opening = "" if state == "open" else gap + marks.open + marks.lead
    closing = ("\n" if marks.lead else "") + marks.close + marks.answer
    return Chat(state, opening, marks.close, closing, marks.answer, arguments=arguments)


def _answering(marks: Marks, state: State, arguments: Mapping[str, Any], end: str, answer: str) -> Chat:
    """A model that does not think, or is kept from it: by its template or, where that has no switch, by the runtime.

    `end` is the end of the prompt, `answer` the opening of the answer that is set by hand.
    """
    gap = "\n\n" if marks.lead else ""
    if state == "open":
        written = end.rpartition(marks.open)[2]
        opening = gap[len(written) :] + marks.close + gap + marks.answer
    elif state == "bare" and marks.answer and not marks.lead:
        opening = marks.answer.removeprefix(STARTS)
    elif state == "bare":
        opening = marks.open + gap + marks.close + gap + marks.answer
    else:
        opening = answer
    return Chat(state, opening, "", "", arguments=arguments)


def _state(marks: Marks, template: str, render: Render, arguments: Mapping[str, Any], switch: str | None) -> State:
    """What the end of a rendered prompt leaves of the thinking."""
    end = _end(render, arguments)
    if end.rfind(marks.close) > end.rfind(marks.open):
        return "closed"
    if marks.open in end:
        return "open"
    if not _mentions(template, marks) or (switch and _is_off(switch, render, arguments)):
        return "none"
    return "bare"


def _is_off(switch: str, render: Render, arguments: Mapping[str, Any]) -> bool:
    """Whether the template's switch is off, as it stands or because it is off where it is not set."""
    return _asked(render, arguments) == _asked(render, {**arguments, switch: False})


def _switch(template: str, render: Render, arguments: Mapping[str, Any]) -> str | None:
    """The template's switch of thinking: an argument that it reads, and that makes a difference."""
    for name in SWITCHES:
        if name in variables(template) and _differs(render, arguments, name):
            return name
    return None


def _differs(render: Render, arguments: Mapping[str, Any], name: str) -> bool:
    try:
        off, on = (_asked(render, {**arguments, name: value}) for value in (False, True))
    except Unsuitable:  # the name stands for something else here
        return False
    return off != on


def _gap(marks: Marks, render: Render, arguments: Mapping[str, Any], switch: str) -> str:
    """What stands before thinking that the model opens, such as GLM's line break: seen where it is switched off."""
    closed = _end(render, {**arguments, switch: False}).removeprefix(_end(render, arguments))
    gap, opened, _ = closed.partition(marks.open)
    return gap if opened and not gap.strip() else ""


def _asked(render: Render, arguments: Mapping[str, Any]) -> str:
    return render([_message("user", USER)], **arguments)


def _end(render: Render, arguments: Mapping[str, Any]) -> str:
    """What the template writes to open the model's turn; all that follows the question where that cannot be told."""
    whole = _asked(render, arguments)
    closed = _asked(render, {**arguments, "add_generation_prompt": False})
    opens = whole.removeprefix(closed) if whole.startswith(closed) else ""
    return opens or whole.rpartition(USER)[2]


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
    """An argument that the template does not read would do nothing, unnoticed."""
    for name in arguments:
        if name in RESERVED:
            raise Unsuitable(f"model.chat.{name}: cannot be set; leap_lab sets it")
        if name not in variables(template):
            raise Unsuitable(f"model.chat.{name}: the model's chat template does not use it; leave it out")


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
