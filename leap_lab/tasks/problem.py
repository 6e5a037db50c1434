"""A problem: what is asked and what the right answer is."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Problem:
    """One question.

    `answer` is the gold answer. `kind` names how it is graded: `math`, `choice` (`answer` is a letter, `options` are in
    display order), `text`, `several` or `list` (`answer` is a JSON list), or the address of a grader of your own.
    """

    id: str
    text: str
    answer: str
    kind: str = "math"
    options: tuple[str, ...] = ()

    @cached_property
    def content(self) -> str:
        """12 hex digits over what is asked: text, kind and options, neither the id nor the right answer."""
        asked = json.dumps([self.text, self.kind, list(self.options)])
        return hashlib.sha256(asked.encode()).hexdigest()[:12]
