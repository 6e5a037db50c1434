"""A model's tokenizer and chat template without its engine, and a fingerprint that tells tokenizers apart."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from leap_lab.errors import UserError


class ModelTokens:
    """What decoding does with a model's tokenizer (`leap_lab.engines.vllm`), token for token."""

    def __init__(self, model: str) -> None:
        """Load the tokenizer of a folder or hub id; `UserError` where there is none to load."""
        from transformers import AutoTokenizer

        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(model)
        except (OSError, ValueError, ImportError) as error:
            reason = " ".join(str(error).split())[:160]
            raise UserError(
                f"{model}: no tokenizer to load there ({reason}); allowed is a model folder or a hub id"
            ) from error
        self.model = model
        self.end: int | None = self.tokenizer.eos_token_id
        self.fingerprint = fingerprint(self.tokenizer.get_vocab())

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def chat(self, user: str) -> list[int]:
        messages = [{"role": "user", "content": user}]
        return self.encode(self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))


def fingerprint(vocabulary: Mapping[str, int]) -> str:
    """16 hex digits; two tokenizers have the same if a token id means the same text to both."""
    listed = json.dumps(sorted(vocabulary.items()), ensure_ascii=True)
    return hashlib.sha256(listed.encode()).hexdigest()[:16]
