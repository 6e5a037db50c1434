"""A problem: what is asked and what the right answer is."""

from dataclasses import dataclass
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
