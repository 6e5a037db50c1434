"""A problem: what is asked and what the right answer is."""

from dataclasses import dataclass

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
