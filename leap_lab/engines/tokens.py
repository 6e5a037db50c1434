"""A Hugging Face tokenizer and chat template as decoding uses them, and a fingerprint to compare tokenizers."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from leap_lab.engines.chat import COMMANDS, Chat, ChatSettings, Render, Unsuitable, found
from leap_lab.engines.models import Model
from leap_lab.errors import UserError, one_line

BEGINS = ("<bos>", "<s>", "<|begin_of_text|>")  # models with these expect them, whether or not the tokenizer adds them
# For models without a template: messages one after another, each a paragraph.
PLAIN = "{{ bos_token if begins else '' }}{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"


class ModelTokens:
    """The `base.Tokens` of a model, with the same tokens whether or not an engine runs.

    `UserError` for a tokenizer without a chat template, a template that refuses a question, and settings of
    `model.chat` or `model.thinking` that do not fit it.
    """

    def __init__(self, tokenizer: Any, model: Model) -> None:
        self.tokenizer, self.model, self._settings = tokenizer, model, model.chat
        self.end: int | None = tokenizer.eos_token_id
        self.template = self._template()
        try:
            self._render: Render = partial(_rendered, tokenizer, self.template, model.chat)
            self.form: Chat = found(model.chat, self.template, self._render)
        except Unsuitable as error:
            raise UserError(f"{error} (model.path={model.path})") from error

    @classmethod
    def of(cls, model: Model) -> "ModelTokens":
        """Load the tokenizer of a folder or hub id; `UserError` where there is none."""
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(model.path, revision=model.revision)
        except (OSError, ValueError, ImportError) as error:
            reason = one_line(error, 160)
            raise UserError(f"model.path={model.path}: cannot load a tokenizer ({reason})") from error
        if not tokenizer.encode("a"):
            raise UserError(f"model.path={model.path}: the folder has no tokenizer; copy its files into it")
        return cls(tokenizer, model)

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def chat(self, user: str, begun: str = "") -> list[int]:
        return self.encode(self._render([{"role": "user", "content": self.plain(user)}], **self.form.arguments) + begun)

    def plain(self, text: str) -> str:
        """The text with a space in whatever the model would read as a control token or as a command to think or not."""
        text = COMMANDS.sub("/ ", text)
        while control := self._controls.search(text):
            text = f"{text[: control.start() + 1]} {text[control.start() + 1 :]}"
        return text

    @cached_property
    def close_id(self) -> int | None:
        """The one token that ends thinking; None where it takes several, or where the model does not think."""
        ids = self.encode(self.form.close) if self.form.thinks else []
        return ids[0] if len(ids) == 1 else None

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the vocabulary (`fingerprint`)."""
        return fingerprint(self.tokenizer.get_vocab())

    @cached_property
    def template_hash(self) -> str:
        """16 hex digits over the chat template and what it renders for a question, its system message included."""
        shown = self.template + self._render([{"role": "user", "content": ""}], **self.form.arguments)
        return hashlib.sha256(shown.encode()).hexdigest()[:16]

    @cached_property
    def _controls(self) -> re.Pattern[str]:
        """Whatever the tokenizer reads as one special token, and the marks of thinking."""
        added = self.tokenizer.added_tokens_decoder.values()
        controls = {str(token.content) for token in added if token.special and len(token.content) > 1}
        controls |= {mark for mark in ("<think>", "</think>", self.form.close) if mark}
        return re.compile("|".join(re.escape(each) for each in sorted(controls, key=len, reverse=True)))

    def _template(self) -> str:
        """The source of the template in use."""
        chosen, path = self._settings.template, self.model.path
        if chosen == "plain":
            return PLAIN
        if chosen is not None:
            try:
                return Path(chosen).expanduser().read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"model.chat.template={chosen}: cannot be read; must be `plain` or a file") from error
        own = self.tokenizer.chat_template
        if isinstance(own, dict):  # several, by name
            own = own.get("default")
        if not own:
            raise UserError(
                f"model.path={path}: its tokenizer has no chat template; for a base model set "
                "model.chat.template=plain, else model.chat.template=FILE"
            )
        return str(own)


def _rendered(
    tokenizer: Any, template: str, settings: ChatSettings, messages: Sequence[Mapping[str, str]], **arguments: Any
) -> str:
    """The messages in the template, the model's turn opened; `Unsuitable` where the template refuses them."""
    import jinja2

    today = date.fromisoformat(settings.date)
    system = [{"role": "system", "content": settings.system}] if settings.system else []
    begins = tokenizer.bos_token in BEGINS or tokenizer.bos_token_id in tokenizer.encode("")[:1]
    try:
        text = tokenizer.apply_chat_template(
            [*system, *messages],
            chat_template=template,
            add_generation_prompt=True,
            tokenize=False,
            **{"strftime_now": today.strftime, "begins": begins} | arguments,
        )
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise Unsuitable(f"model.chat: the chat template refuses a message ({one_line(error, 160)})") from error
    return str(text)


def fingerprint(vocabulary: Mapping[str, int]) -> str:
    """16 hex digits; equal for two tokenizers if every token id means the same text in both."""
    text = json.dumps(sorted(vocabulary.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
