"""Where token ids can be cut: at the end of a paragraph, before a text, around what was put into a prompt."""

from collections.abc import Sequence
from itertools import takewhile

from leap_lab.engines.base import Tokens

PARAGRAPH = "\n\n"


def whole_paragraphs(ids: Sequence[int], tokens: Tokens) -> int:
    """How many of the token ids to keep so that they end with a paragraph; all of them where no paragraph ends."""
    for kept in range(len(ids), 0, -1):
        if tokens.decode(ids[max(0, kept - 2) : kept]).rstrip(" ").endswith(PARAGRAPH):
            return kept
    return len(ids)


def before(text: str, ids: Sequence[int], tokens: Tokens) -> int:
    """How many of the token ids stand before a text that they hold."""
    start = tokens.decode(ids).index(text)
    return next(kept for kept in range(len(ids), -1, -1) if len(tokens.decode(ids[:kept])) <= start)


def parted(full: Sequence[int], bare: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """A prompt in three: in the middle what it has beyond `bare`, another one that lacks only this."""
    start = _common(full, bare)
    end = len(full) - _common(full[start:][::-1], bare[start:][::-1])
    return list(full[:start]), list(full[start:end]), list(full[end:])


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """The number of tokens that both start with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
