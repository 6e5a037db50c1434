"""Where sampled token ids can be cut: at the end of a paragraph, or before a text."""

from collections.abc import Sequence

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
