"""A Hugging Face tokenizer and chat template as decoding uses them, and a fingerprint to compare tokenizers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from leap_lab.errors import UserError, one_line


class ModelTokens:
    """The `base.Tokens` of a model, with the same tokens whether or not an engine runs."""

    def __init__(self, tokenizer: Any, model: str) -> None:
        self.tokenizer, self.model = tokenizer, model
        self.end: int | None = tokenizer.eos_token_id

    @classmethod
    def of(cls, model: str) -> "ModelTokens":
        """Load the tokenizer of a folder or hub id; `UserError` where there is none."""
        from transformers import AutoTokenizer

        try:
            return cls(AutoTokenizer.from_pretrained(model), model)
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"{model}: cannot load a tokenizer ({one_line(error, 160)}); must be a model folder or a hub id"
            ) from error

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def chat(self, user: str) -> list[int]:
        messages = [{"role": "user", "content": user}]
        return self.encode(self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the vocabulary (`fingerprint`)."""
        return fingerprint(self.tokenizer.get_vocab())


def fingerprint(vocabulary: Mapping[str, int]) -> str:
    """16 hex digits; equal for two tokenizers if every token id means the same text in both."""
    text = json.dumps(sorted(vocabulary.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
