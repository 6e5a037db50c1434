"""A finished path at regular steps of its thinking: copies that can be asked what it would have answered there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from leap_lab.engines.base import Tokens
from leap_lab.path import Branch, Kind, Path, Segment


def branches_of(path: Path, interval: int, tokens: Tokens) -> list[Branch]:
    """Branches of a path after every `interval` tokens of its thinking; the end of the thinking is none of them.

    Branch k (`turn`, from 0) holds the first (k + 1) * interval tokens that the path thought, and what stands before.
    """
    closing = len(tokens.encode(tokens.form.close or "")) if path.closed else 0
    thought = path.count(Kind.THINK) - closing
    branches = []
    for turn, length in enumerate(range(interval, thought, interval)):
        branch = path.branch(turn, "before")
        branch.path.segments = list(_up_to(path.segments, length, tokens))
        branches.append(branch)
    return branches


def _up_to(segments: Sequence[Segment], length: int, tokens: Tokens) -> Iterator[Segment]:
    """The segments up to the token of thinking with this number, counted from 1."""
    for segment in segments:
        if segment.kind is not Kind.THINK:
            yield segment
        elif len(segment.tokens) < length:
            length -= len(segment.tokens)
            yield segment
        else:
            kept = segment.tokens[:length]
            yield replace(segment, tokens=kept, text=tokens.decode(kept))
            return
