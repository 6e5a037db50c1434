"""Chat templates: what one reads, and what it renders. Jinja as Hugging Face runs it, but for the day of the run."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from leap_lab import home
from leap_lab.errors import one_line

BEGINS = ("<bos>", "<s>", "<|begin_of_text|>")  # models with these expect them, whether or not the tokenizer adds them
# For models without a template: messages one after another, each a paragraph.
PLAIN = "{{ bos_token if begins else '' }}{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"
# What templates call the date, and how they expect it to be written.
DATES = {"date_string": "%d %b %Y", "current_date": "%Y-%m-%d", "today": "%Y-%m-%d", "date": "%Y-%m-%d"}
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")  # a tag that only Hugging Face knows


class Unsuitable(ValueError):
    """Settings that the template cannot follow; the message names the setting."""


@lru_cache(maxsize=16)
def variables(template: str) -> frozenset[str]:
    """The names that a template reads and does not set itself before; `Unsuitable` if it is not Jinja."""
    import jinja2
    import jinja2.meta

    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])
    try:
        parsed = environment.parse(_GENERATION.sub("", template))
    except jinja2.TemplateSyntaxError as error:
        raise Unsuitable(f"model.chat.template: not a valid Jinja template ({one_line(error, 160)})") from error
    return frozenset(jinja2.meta.find_undeclared_variables(parsed))


def source(tokenizer: Any, chosen: str | None) -> str:
    """The template in use: `plain`, that of a file, or else the tokenizer's own; `Unsuitable` where there is none."""
    if chosen == "plain":
        return PLAIN
    if chosen is not None:
        try:
            return home.path(chosen).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unsuitable(f"model.chat.template={chosen}: cannot be read; must be `plain` or a file") from error
    own = getattr(tokenizer, "chat_template", None)
    if isinstance(own, dict):  # several, by name
        own = own.get("default")
    if not own:
        raise Unsuitable(
            "the tokenizer has no chat template; for a base model set model.chat.template=plain, "
            "else model.chat.template=FILE"
        )
    return str(own)


def rendered(
    tokenizer: Any, template: str, day: str, system: str | None, messages: Sequence[Mapping[str, str]], **arguments: Any
) -> str:
    """The messages in the template, the model's turn opened; `Unsuitable` where the template refuses them."""
    import jinja2

    first = [{"role": "system", "content": system}] if system else []
    given = {"add_generation_prompt": True, **_dates(day, template), "begins": _begins(tokenizer)} | arguments
    try:
        text = tokenizer.apply_chat_template([*first, *messages], chat_template=template, tokenize=False, **given)
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        key = "model.chat.system" if system else "model.chat"
        raise Unsuitable(f"{key}: the chat template refuses a message ({one_line(error, 160)})") from error
    return str(text)


def _dates(day: str, template: str) -> dict[str, Any]:
    """The date for each name under which this template asks for it."""
    moment = datetime.combine(date.fromisoformat(day), datetime.min.time())
    clock = SimpleNamespace(now=lambda *_: moment, today=lambda: moment, utcnow=lambda: moment)
    known: dict[str, Any] = {name: moment.strftime(form) for name, form in DATES.items()}
    known |= {"strftime_now": moment.strftime, "datetime": clock}
    return {name: value for name, value in known.items() if name in variables(template)}


def _begins(tokenizer: Any) -> bool:
    return tokenizer.bos_token in BEGINS or tokenizer.bos_token_id in tokenizer.encode("")[:1]
