"""Right answers as data sets give them: alone, or at the end of a whole solution."""

import re
from collections.abc import Sequence
from dataclasses import replace

from leap_lab.errors import brief
from leap_lab.grading.boxes import last_box
from leap_lab.tasks.problem import Problem

SHOWN = 3  # extractions that a note shows
_HASHES = re.compile(r"####[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
_SAID = re.compile(
    r"\b(?:the\s+)?(?:final\s+)?answer\s*(?:is|are|:|=)\s*:?[ \t]*(\S[^\n]*?)[ \t]*(?:\.[ \t]*)?$",
    re.IGNORECASE | re.MULTILINE,
)


def answer_of(solution: str) -> str:
    """The answer alone: what follows the last `####`, what the last box holds, or what follows the last "the answer is".

    A text with none of these is the answer itself.
    """
    if found := _HASHES.findall(solution):
        return str(found[-1])
    if (box := last_box(solution)) and box.answer is not None:
        return box.answer
    if found := _SAID.findall(solution):
        return str(found[-1]).strip("$ ") or solution
    return solution


def extracted(problems: Sequence[Problem]) -> list[Problem]:
    """The problems with the answer alone, where their kind is `math`."""
    return [
        replace(problem, answer=answer_of(problem.answer)) if problem.kind == "math" else problem
        for problem in problems
    ]


def remark(given: Sequence[Problem], taken: Sequence[Problem], source: str) -> str | None:
    """A note that shows what was taken out of the given answers; None where all were taken as they are."""
    pairs = [(old.answer, new.answer) for old, new in zip(given, taken, strict=True) if old.answer != new.answer]
    if not pairs:
        return None
    shown = "; ".join(f"{brief(repr(new))} of {brief(repr(old[-60:]))}" for old, new in pairs[:SHOWN])
    return f"{source}: {len(pairs)} of {len(given)} answers were taken out of a solution: {shown}"
