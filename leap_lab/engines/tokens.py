"""A Hugging Face tokenizer and chat template as decoding uses them, and a fingerprint to compare tokenizers."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from leap_lab.engines.chat import COMMANDS, USER, Chat, Render, found, marks_of
from leap_lab.engines.models import Model
from leap_lab.engines.templates import Unsuitable, rendered, source
from leap_lab.errors import UserError, one_line

TOLD = "\u2039told\u203a"  # a system message that no template has


class ModelTokens:
    """The `base.Tokens` of a model, with the same tokens whether or not an engine runs.

    `UserError` for a tokenizer without a chat template, a template that refuses a question, and settings of
    `model.chat` or `model.thinking` that do not fit it.
    """

    def __init__(self, tokenizer: Any, model: Model) -> None:
        self.tokenizer, self.model = tokenizer, model
        self.end: int | None = tokenizer.eos_token_id
        try:
            self.template = source(tokenizer, model.chat.template)
            self._render: Render = partial(rendered, tokenizer, self.template, model.chat.date, model.chat.system)
            self.form: Chat = found(model.chat, self.template, self._render)
            self._check_system()
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
        if not tokenizer.encode("a", add_special_tokens=False):
            raise UserError(f"model.path={model.path}: the folder has no tokenizer; copy its files into it")
        return cls(tokenizer, model)

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def chat(self, user: str, begun: str = "", earlier: Sequence[tuple[str, str]] = ()) -> list[int]:
        said = [text for turn in earlier for text in turn]
        messages = [
            {"role": "assistant" if place % 2 else "user", "content": self.plain(text)}
            for place, text in enumerate([*said, user])
        ]
        return self.encode(self._render(messages, **self.form.arguments) + begun)

    def plain(self, text: str) -> str:
        """The text with a space in whatever the model would read as a control token or as a command to think or not."""
        broken = None
        while broken != text:
            broken, text = text, self._controls.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return COMMANDS.sub("/ ", text)

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
        shown = self.template + self._render([{"role": "user", "content": USER}], **self.form.arguments)
        return hashlib.sha256(shown.encode()).hexdigest()[:16]

    @cached_property
    def _controls(self) -> re.Pattern[str]:
        """Special tokens, added tokens that the template writes (a few models do not call them special), and marks."""
        added = self.tokenizer.added_tokens_decoder.values()
        texts = [(str(token.content), token.special) for token in added]
        controls = {text for text, special in texts if len(text.strip()) > 1 and (special or text in self.template)}
        marks = marks_of(self.model.chat, self.template)
        controls |= {mark.strip() for mark in ("<think>", "</think>", marks.open, marks.close) if mark.strip()}
        return re.compile("|".join(re.escape(each) for each in sorted(controls, key=len, reverse=True)))

    def _check_system(self) -> None:
        """A template that leaves the system message out would do so unnoticed."""
        if self.model.chat.system:
            asked = [{"role": "user", "content": USER}]
            if TOLD not in rendered(
                self.tokenizer, self.template, self.model.chat.date, TOLD, asked, **self.form.arguments
            ):
                raise Unsuitable("model.chat.system: the chat template leaves out a system message; leave it out")


def fingerprint(vocabulary: Mapping[str, int]) -> str:
    """16 hex digits; equal for two tokenizers if every token id means the same text in both."""
    text = json.dumps(sorted(vocabulary.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
