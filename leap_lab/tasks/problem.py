"""A problem: what is asked and what the right answer is."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Problem:
    """One question. `answer` is the gold answer; for a `choice` it is a letter, and `options` are in display order."""

    id: str
    text: str
    answer: str
    kind: Literal["math", "choice"] = "math"
    options: tuple[str, ...] = ()

    @cached_property
    def content(self) -> str:
        """12 hex digits over what is asked: text, kind and options, neither the id nor the right answer."""
        asked = json.dumps([self.text, self.kind, list(self.options)])
        return hashlib.sha256(asked.encode()).hexdigest()[:12]
