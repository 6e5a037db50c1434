r"""The boxes of a text.

A box is `\boxed{...}` with balanced braces (`\{` and `\}` do not count). The last one decides. One that is never closed
or lacks its braces (`\boxed 5`) is no answer, whatever came before it: the text broke off, or what stands there is not
known. One with nothing in it, or with dots or the word "answer", states nothing and is passed over: such boxes stand
in remarks about the instruction. `\boxed` in prose (`as asked in \boxed`) and `\fbox` are no boxes.
"""

import re
from dataclasses import dataclass

from leap_lab.grading.formula.tokens import Unreadable, tokens

LONGEST = 2_000  # characters of an answer; a longer one is no answer
_BOX = re.compile(r"\\boxed(?:\s*(\{)|\s*(?=[-+0-9]|\\[A-Za-z]))")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_PLACEHOLDER = re.compile(r"(?:the |your |my )?(?:final )?answer(?: here)?", re.IGNORECASE)


@dataclass(frozen=True)
class Box:
    """Where a box begins, and what it states; None when it is broken."""

    start: int
    answer: str | None


def last_box(text: str) -> Box | None:
    """The last box that states something or is broken; None when there is none."""
    start = len(text)
    while (start := text.rfind(r"\boxed", 0, start)) >= 0:
        if box := _BOX.match(text, start):
            content = balanced(text, box.end()) if box[1] else None
            if content is None or len(content.strip()) > LONGEST:
                return Box(start, None)
            if not blank(content):
                return Box(start, content.strip())
    return None


def balanced(text: str, start: int) -> str | None:
    """What stands before the brace that closes the one before `start`; None when nothing closes it."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[start : brace.start()]
    return None


def blank(content: str) -> bool:
    """Whether a box holds nothing but space, dots, or the word that stands for an answer."""
    if not content.strip():
        return True
    try:
        seen = [token for token in tokens(content) if token.text not in ("{", "}", "ldots", ".", "_")]
    except Unreadable:
        return False
    return not seen or bool(_PLACEHOLDER.fullmatch(" ".join(token.text for token in seen)))
